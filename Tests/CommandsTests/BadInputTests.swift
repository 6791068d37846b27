import Foundation
import TestSupport
import Testing

/// Bad input gives one clear sentence on standard error and the right exit status, and loses
/// nothing.
struct BadInputTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(madeText(documents: 60), "text.txt")
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let letters = "abcdefghijklmnopqrstuvwxyz.".map { String($0) }
    let vocabulary = special + letters + letters.dropLast().map { "##" + $0 }
    try folder.write(vocabulary.joined(separator: "\n") + "\n", "vocab.txt")
    try folder.write(vocabulary.filter { $0 != "[MASK]" }.joined(separator: "\n"), "unmasked.txt")
    try folder.write((vocabulary + ["a"]).joined(separator: "\n"), "doubled.txt")
    try folder.write("", "empty.txt")
    try Data([0x61, 0x0A, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: folder.path + "/latin.txt"))
    try Data([0x61, 0x00, 0x0A]).write(to: URL(fileURLWithPath: folder.path + "/binary.txt"))
    return folder
  }

  private func expect(
    _ folder: TemporaryFolder, _ arguments: [String], status: Int32, says: String,
    limits: String = ":", _ location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(arguments, limits: limits, in: folder.path)
    #expect(result.status == status, "\(result.errors)", sourceLocation: location)
    let isReported = says.isEmpty || result.errors.contains(says)
    #expect(isReported, "\(result.errors)", sourceLocation: location)
  }

  private func prepare(_ text: String, _ options: String...) -> [String] {
    ["prepare", text, "--vocabulary", "vocab.txt", "--output", "data"] + options
  }

  @Test
  func textThatCannotBeReadIsRefused() throws {
    let folder = try folder()
    try expect(folder, prepare("absent.txt"), status: 66, says: "absent.txt")
    try expect(folder, prepare("empty.txt"), status: 65, says: "no text")
    try expect(folder, prepare("binary.txt"), status: 65, says: "binary.txt, line 1")
    try expect(folder, prepare("latin.txt"), status: 65, says: "latin.txt, line 2")
    try expect(
      folder, prepare("latin.txt", "--invalid-text", "skip", "--held-out", "0"), status: 0,
      says: "")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/data/data.json"))
  }

  @Test
  func vocabulariesThatCannotBeUsedAreRefused() throws {
    let folder = try folder()
    for (name, sentence) in [
      ("unmasked", "[MASK]"), ("doubled", "doubled.txt"), ("empty", "empty"),
    ] {
      let arguments = ["prepare", "text.txt", "--vocabulary", name + ".txt", "--output", "data"]
      try expect(folder, arguments, status: 65, says: sentence)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
  }

  @Test
  func optionsThatContradictDataOrModelAreRefused() throws {
    let folder = try folder()
    try expect(folder, prepare("text.txt", "--length", "513"), status: 64, says: "513")
    try expect(
      folder, prepare("text.txt", "--held-out", "0.0001"), status: 65, says: "held-out split")
    try expect(
      folder, prepare("text.txt", "--held-out", "0.2", "--length", "16"), status: 0, says: "")
    try expect(folder, prepare("text.txt"), status: 73, says: "data exists; remove it")
    let pretrain = ["pretrain", "--data", "data", "--output", "run", "--preset", "tiny"]
    try expect(folder, pretrain + ["--length", "32"], status: 65, says: "--length 16")
    try expect(folder, pretrain + ["--length", "600"], status: 64, says: "512 positions")
    try expect(
      folder, pretrain + ["--batch", "12", "--slices", "8"], status: 64, says: "8 equal slices")
    try expect(folder, pretrain + ["--slices", "6"], status: 64, says: "power of two")
    try expect(folder, pretrain + ["--config", "none.json"], status: 64, says: "none.json")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    try folder.write("x", "vocab2.txt")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/run", withIntermediateDirectories: true)
    try folder.write("mine", "run/notes.txt")
    try expect(folder, pretrain, status: 64, says: "not empty")
  }

  @Test
  func numbersOutOfRangeAreRefused() throws {
    let folder = try folder()
    let largest = "9223372036854775807"
    let pretrain = ["pretrain", "--data", "data", "--output", "run", "--preset", "tiny"]
    for (command, option) in [
      (pretrain, "--keep"), (pretrain, "--threads"), (["flops"], "--ranks"),
      (["flops"], "--threads"), (["flops"], "--keep"), (["benchmark", "step"], "--threads"),
      (["evaluate", "run", "--data", "data"], "--threads"),
    ] {
      try expect(
        folder, command + [option, largest], status: 64, says: "\(option) must be between 1 and")
    }
    for hours in ["1e300", "nan", "-1"] {
      try expect(
        folder, pretrain + ["--hours=" + hours], status: 64, says: "--hours must be between 0")
    }
    for (option, value) in [("--save-minutes", "nan"), ("--grace", "-1")] {
      try expect(
        folder, pretrain + ["\(option)=\(value)"], status: 64,
        says: "\(option) must be at least 0")
    }
    for deadline in ["step", "steps=6", "step=0", "step=nan"] {
      try expect(
        folder, pretrain + ["--deadline", deadline], status: 64,
        says: "'\(deadline)' is invalid for '--deadline")
    }
    try expect(folder, prepare("text.txt", "--held-out", "0"), status: 0, says: "")
    try expect(
      folder, pretrain + ["--batch", "1000000000000"], status: 64,
      says: "--batch 1000000000000 is above")
  }

  @Test
  func damagedDataIsRefused() throws {
    let folder = try folder()
    try expect(
      folder, prepare("text.txt", "--held-out", "0.2", "--length", "16"), status: 0, says: "")
    let pretrain = ["pretrain", "--data", "data", "--output", "run", "--preset", "tiny"]
    let shard = URL(fileURLWithPath: folder.path + "/data/train-00000.tokens")
    let sound = try Data(contentsOf: shard)
    for (offset, sentence) in [(9, "version"), (30, "damaged"), (3000, "damaged")] {
      var bytes = sound
      bytes[offset] ^= 0x10
      try bytes.write(to: shard)
      try expect(folder, pretrain + ["--steps", "1"], status: 65, says: sentence)
      try? FileManager.default.removeItem(atPath: folder.path + "/run")
    }
    try sound.dropLast(100).write(to: shard)
    try expect(folder, pretrain, status: 65, says: "train-00000.tokens")
    try sound.write(to: shard)
    let vocabulary = try folder.text("vocab.txt")
    try folder.write(vocabulary + "zebra\n", "data/vocab.txt")
    try expect(folder, pretrain, status: 65, says: "another vocabulary")
  }

  @Test
  func anotherSeedForAFinishedRunIsRefused() throws {
    let folder = try folder()
    try expect(
      folder, prepare("text.txt", "--held-out", "0.2", "--length", "16"), status: 0, says: "")
    let pretrain = [
      "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--batch", "4",
      "--steps", "2", "--evaluate-examples", "4",
    ]
    try expect(folder, pretrain, status: 0, says: "done")
    try expect(
      folder, pretrain + ["--seed", "9"], status: 64, says: "--seed is 1 there and 9 here")
    try expect(folder, pretrain, status: 0, says: "done")
  }

  @Test
  func aFullDiskIsReportedAndLeavesNoData() throws {
    let folder = try folder()
    let full = "ulimit -f 8"  // files of at most 8 KB
    try expect(folder, prepare("text.txt"), status: 73, says: "cannot write", limits: full)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
    #expect(try !folder.names().contains { $0.contains("partial") })
    try expect(
      folder, prepare("text.txt", "--held-out", "0.2", "--length", "16"), status: 0, says: "")
    // Training continues without a checkpoint and logs the failure.
    try expect(
      folder,
      [
        "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--batch", "4",
        "--steps", "2", "--evaluate-examples", "4",
      ], status: 73, says: "training continues", limits: full)
  }

  @Test
  func aLauncherOfAnotherMPIIsRefused() throws {
    let folder = try folder()
    try expect(
      folder, ["pretrain", "--data", "data", "--output", "run"], status: 78,
      says: "started 2 ranks", limits: "export PMI_SIZE=2")
  }

  @Test
  func modelsThatDoNotExistAreNamed() throws {
    let folder = try folder()
    try expect(folder, ["detect", "--from", "nowhere"], status: 66, says: "nowhere")
    for option in [["--threads", "0"], ["--evaluate-examples", "0"]] {
      try expect(
        folder, ["evaluate", "nowhere", "--data", "data"] + option, status: 64,
        says: "must be between 1 and")
    }
    try expect(
      folder, ["evaluate", "nowhere", "--data", "data"], status: 66, says: "data.json")
  }
}
