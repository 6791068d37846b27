import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

struct ProcessorsTests {
  @Test
  func theHostsNameIsTheKernels() throws {
    let name = try #require(kernelFile("/proc/sys/kernel/hostname"))
    #expect(hostName() == name.trimmingCharacters(in: .newlines))
  }

  @Test
  func aPinnedThreadMayUseItsProcessorAlone() throws {
    let processors = allowedProcessors()
    let last = try #require(processors.last)
    // A separate thread, because the test's thread must not stay pinned.
    let mask = Mutex([Int]())
    let thread = try startThread {
      pinCurrentThread(to: last)
      mask.withLock { $0 = allowedProcessors() }
    }
    pthread_join(thread, nil)
    #expect(mask.withLock { $0 } == [last])
    #expect(allowedProcessors() == processors)
  }

  /// Compiles the check of CSystem so that every instruction seems to be missing.
  @Test(.enabled(if: compiler != nil, "there is no clang"), arguments: [0, 1])
  func aProcessorThatIsTooOldEndsTheProgram(isSupported: Int) throws {
    let folder = try TemporaryFolder()
    try folder.write("int main(void) { csystem_expect_processor(78); return 0; }\n", "main.c")
    let header = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/CSystem/processors.h").standardized.path
    let build = try run(
      Self.compiler ?? "",
      [
        "-mavx2", "-mfma", "-mbmi2", "-D__builtin_cpu_supports(name)=\(isSupported)",
        "-D__builtin_cpu_init()=0", "-include", header, folder.file("main.c"),
        "-o", folder.file("main"),
      ])
    #expect(build.status == 0, "\(build.errors)")
    let result = try run(folder.file("main"), [])
    #expect(result.status == (isSupported == 1 ? 0 : 78))
    let sentence = "electra: the processor of \(hostName()) lacks AVX2"
    #expect(result.errors.hasPrefix(isSupported == 1 ? "" : sentence), "\(result.errors)")
    #expect(result.errors.isEmpty == (isSupported == 1))
  }

  /// The C compiler of the Swift toolchain, or the system's.
  private static let compiler: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { $0 + "/clang" }.first { access($0, X_OK) == 0 }
  }()

  private func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let errors = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
  }
}
