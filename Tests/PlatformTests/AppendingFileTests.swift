import Foundation
import Platform
import TestSupport
import Testing

struct AppendingFileTests {
  /// The limit on the size of files stands for a full disk; it is set in a separate process.
  @Test
  func aLineThatFitsInPartLeavesNothingBeforeTheNextOne() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = folder.file("log")
      try AppendingFile.append(Array("first\n".utf8), to: path)
      signal(SIGXFSZ, SIG_IGN)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
      var limit = rlimit()
      guard getrlimit(resource, &limit) == 0 else { exit(2) }
      let usual = limit.rlim_cur
      limit.rlim_cur = 8
      guard setrlimit(resource, &limit) == 0 else { exit(2) }
      #expect(throws: FileError.self) {
        try AppendingFile.append(Array("second\n".utf8), to: path)
      }
      limit.rlim_cur = usual
      guard setrlimit(resource, &limit) == 0 else { exit(2) }
      try AppendingFile.append(Array("third\n".utf8), to: path)
      #expect(try folder.text("log") == "first\nthird\n")
    }
  }
}
