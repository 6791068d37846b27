import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

struct AtomicFolderTests {
  private struct Injected: Error {}

  /// Makes a folder with two files.
  private func make(_ path: String, fault: @escaping FaultHook = { _ in }) throws {
    let folder = try AtomicFolder(path, fault: fault)
    for name in ["a", "b"] {
      try DurableFile.write(Array(name.utf8), to: folder.partial + "/" + name, fault: fault)
    }
    try folder.publish()
  }

  /// The temporary name that an older job on this computer would have used.
  private func deadPartial(_ folder: TemporaryFolder, _ name: String) throws -> String {
    let partial = try AtomicFolder(folder.file(name)).partial
    let (stem, time) = (partial.dropLast(16), String(repeating: "0", count: 15) + "1")
    return (String(stem + time) as NSString).lastPathComponent
  }

  @Test
  func itHasItsNameWhenItIsWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("new/deep/data/")
    let data = try AtomicFolder(path)
    try DurableFile.write([1], to: data.partial + "/a")
    let partial = try folder.names("new/deep")
    #expect(!partial.isEmpty && partial.allSatisfy { $0.hasPrefix("data.partial-") })
    try data.publish()
    #expect(try folder.names("new/deep") == ["data"])
    #expect(try folder.names("new/deep/data") == ["a"])
  }

  @Test
  func whatIsThereStays() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", "full/notes.txt")
    try folder.write("mine", "file")
    for name in ["full", "file"] {
      #expect(throws: FileError.exists(path: folder.file(name))) { try make(folder.file(name)) }
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: folder.file("nowhere"))
    #expect(throws: FileError.self) { try make(folder.file("link")) }
    #expect(throws: FileError.self) { try make(folder.file("file/data")) }
    #expect(throws: FileError.self) { try make("") }
    #expect(try folder.names() == ["file", "full", "link"])
  }

  @Test
  func anEmptyFolderGivesWayAlsoBehindALink() throws {
    let folder = try TemporaryFolder()
    for name in ["empty", "elsewhere/target"] {
      try FileManager.default.createDirectory(
        atPath: folder.file(name), withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: "elsewhere/target")
    try make(folder.file("empty"))
    try make(folder.file("link"))
    #expect(try folder.names("empty") == ["a", "b"])
    #expect(try folder.names("elsewhere/target") == ["a", "b"])
    #expect(try folder.names() == ["elsewhere", "empty", "link"])
  }

  @Test
  func theReasonOfTheSystemIsGiven() throws {
    let error = #expect(throws: FileError.self) { try make("/proc/none/data") }
    #expect(
      error?.description
        == "cannot write /proc/none: the folder cannot be made: No such file or directory")
  }

  @Test
  func theSecondJobIsRefusedAtOnceAndTheFirstGoesOn() throws {
    let folder = try TemporaryFolder()
    let first = try AtomicFolder(folder.file("data"))
    let error = #expect(throws: FileError.self) { try AtomicFolder(folder.file("data")) }
    #expect(error == .inProgress(path: folder.file("data"), partial: first.partial))
    try make(folder.file("data.2"))
    try DurableFile.write([1], to: first.partial + "/a")
    try first.publish()
    #expect(try folder.names() == ["data", "data.2"])
  }

  @Test
  func leftoversOfEndedJobsAreRemovedAndThoseOfOtherComputersReported() throws {
    let folder = try TemporaryFolder()
    let dead = try deadPartial(folder, "data")
    try folder.write("half", dead + "/train-00000.tokens")
    try folder.write("half", "data.partial-00000000-0000000000000001/train-00000.tokens")
    try folder.write("mine", "data.partial-notes/notes.txt")
    try folder.write("mine", "data.partial/notes.txt")
    try folder.write("whole", dead.replacingOccurrences(of: "partial", with: "finished") + "/a")
    let data = try AtomicFolder(folder.file("data"))
    #expect(data.leftovers == [folder.file("data.partial-00000000-0000000000000001")])
    try data.publish()
    #expect(
      try folder.names()
        == [
          "data", dead.replacingOccurrences(of: "partial", with: "finished"), "data.partial",
          "data.partial-00000000-0000000000000001", "data.partial-notes",
        ].sorted())
    #expect(try folder.names("data") == [])
  }

  @Test
  func aNameThatWasTakenMeanwhileKeepsTheFinishedFolder() throws {
    let folder = try TemporaryFolder()
    let data = try AtomicFolder(folder.file("data"))
    try DurableFile.write([1], to: data.partial + "/a")
    try folder.write("another's", "data/a")
    let error = #expect(throws: FileError.self) { try data.publish() }
    let kept = try #require(try folder.names().first { $0.hasPrefix("data.finished-") })
    #expect(error?.description.contains(folder.file(kept)) == true)
    #expect(try folder.bytes(kept + "/a") == [1])
    #expect(try folder.text("data/a") == "another's")
    #expect(try folder.names().count == 2)
  }

  @Test
  func aFailureAnywhereLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let labels = Mutex<[String]>([])
    try make(folder.file("whole")) { label in labels.withLock { $0.append(label) } }
    let all = labels.withLock { $0 }
    #expect(all.count == 7)
    for target in all.dropLast().indices {
      let count = Mutex(0)
      #expect(throws: Injected.self) {
        try make(folder.file("data")) { _ in
          let call = count.withLock { count in
            count += 1
            return count - 1
          }
          if call == target { throw Injected() }
        }
      }
      #expect(try folder.names() == ["whole"], "\(all[target])")
    }
  }

  @Test
  func aReplacedFolderIsWholeOrTheOldOne() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("run/model")
    func replace(_ text: String, fault: @escaping FaultHook = { _ in }) throws {
      let model = try AtomicFolder(replacing: path, fault: fault)
      try DurableFile.write(Array(text.utf8), to: model.partial + "/a", fault: fault)
      try model.publish()
    }
    try replace("1")
    try folder.write("half", "run/.saving-model/a")
    try folder.write("half", "run/.saving-other-replaced/a")
    for label in ["write a", "make room for model", "rename model"] {
      #expect(throws: Injected.self) { try replace("2") { if $0 == label { throw Injected() } } }
      #expect(try folder.text("run/model/a") == "1")
      #expect(try folder.names("run") == ["model"])
    }
    try replace("3")
    #expect(try folder.text("run/model/a") == "3")
    #expect(try folder.names("run") == ["model"])
  }

  @Test
  func ofManyJobsThatStartTogetherOneWinsWhole() throws {
    let folder = try TemporaryFolder()
    for round in 0..<100 {
      let path = folder.file("data\(round)")
      let results = Mutex<[Result<Void, any Error>]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        let result = Result { try make(path) }
        results.withLock { $0.append(result) }
      }
      let all = results.withLock { $0 }
      #expect(all.count { (try? $0.get()) != nil } == 1, "\(all)")
      for case .failure(let error) in all { #expect(error is FileError) }
      #expect(try folder.names("data\(round)") == ["a", "b"])
    }
    #expect(try folder.names().allSatisfy { !$0.contains("partial") })
  }
}
