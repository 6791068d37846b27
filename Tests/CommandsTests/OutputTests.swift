import Foundation
import TestSupport
import Testing

/// Standard output and error that cannot be written: full disk, closed pipe, closed descriptor.
@Suite(.serialized)
struct OutputTests {
  /// The folder of `shortRun` with lines of text and a model fine-tuned on `rows.tsv`.
  private static func folder() throws -> TemporaryFolder {
    try Fixtures.copy(of: "output tests") {
      let folder = try shortRun()
      try folder.write("ba ko li mu\nne ra si to\n", "lines.txt")
      let lines = madeText(documents: 4).split(separator: "\n")
      try folder.write(
        "text\tlabel\n" + lines.enumerated().map { "\($1)\t\($0 % 2)\n" }.joined(), "rows.tsv")
      try runAll([finetune + ["--output", "model"]], in: folder)
      return folder
    }
  }

  private static let finetune = [
    "finetune", "own", "--train", "rows.tsv", "--dev", "rows.tsv", "--from", "run", "--epochs", "1",
  ]

  /// Commands that print, with valid arguments.
  private static let verbs = [
    ["tokenize", "--vocabulary", "vocab.txt", "lines.txt"],
    ["detect", "--from", "run", "lines.txt"],
    ["evaluate", "run", "--data", "data"], ["flops"], ["flops", "--preset", "tiny", "--json"],
    ["predict", "--from", "model", "lines.txt"],
    ["predict", "--from", "model", "--dev", "rows.tsv", "--json"],
    finetune + ["--output", "model"],
    finetune + ["--output", "other", "--dry-run"], ["export", "--from", "run", "--output", "out"],
    ["report", "run", "--output", "out"],
    ["prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "out", "--held-out", "0.1"],
    ["benchmark", "tokenizer", "text.txt", "--vocabulary", "vocab.txt", "--rounds", "1"],
    ["--help"], ["--version"], ["help", "detect"],
  ]

  private func run(
    _ arguments: [String], _ redirection: String, in folder: TemporaryFolder
  ) throws -> Program.Result {
    try? FileManager.default.removeItem(atPath: folder.file("out"))
    return try Program.shell(
      "exec \"$0\" \"$@\" \(redirection)", [Program.path] + arguments, in: folder.path)
  }

  @Test
  func everyVerbReportsOutputThatCannotBeWritten() throws {
    let folder = try Self.folder()
    for verb in Self.verbs {
      for (redirection, says) in [
        ("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
      ] {
        let result = try run(verb, redirection, in: folder)
        #expect(result.status == 74, "\(verb) \(redirection): \(result.errors)")
        let line = result.errors.split(separator: "\n").last ?? ""
        #expect(
          line == "electra: cannot write to standard output: \(says)", "\(verb) \(redirection)")
      }
    }
  }

  @Test
  func everyVerbEndsQuietlyWhenItsReaderHasEnded() throws {
    let folder = try Self.folder()
    for verb in Self.verbs {
      // The reader closes the pipe before the first write.
      try? FileManager.default.removeItem(atPath: folder.file("out"))
      let result = try Program.shell(
        "exec 3> >(exec true); wait $!; exec \"$0\" \"$@\" >&3", [Program.path] + verb,
        in: folder.path)
      #expect(result.status == 0, "\(verb): \(result.errors)")
      #expect(!result.errors.contains("standard output"), "\(verb): \(result.errors)")
    }
    for verb in [
      ["tokenize", "--vocabulary", "vocab.txt"], ["detect", "--from", "run"],
    ] {
      let result = try Program.shell(
        "yes 'ba ko' | timeout 60 \"$0\" \"$@\" | head -1; exit ${PIPESTATUS[1]}",
        [Program.path] + verb, in: folder.path)
      #expect(result.status == 0 && result.errors.isEmpty, "\(verb): \(result.errors)")
      #expect(result.output.split(separator: "\n").count == 1, "\(verb)")
    }
  }

  @Test
  func answersBeforeABadLineAreWritten() throws {
    let folder = try Self.folder()
    try folder.write(Array("ba ko\nli mu\n".utf8) + [0xFF, 0x0A], "bad.txt")
    for verb in [
      ["tokenize", "--vocabulary", "vocab.txt", "bad.txt"], ["detect", "--from", "run", "bad.txt"],
    ] {
      let result = try Program.run(verb, in: folder.path)
      #expect(result.status == 65 && result.errors.contains("line 3"), "\(result.errors)")
      #expect(result.output.split(separator: "\n").count == 2, "\(verb): \(result.output)")
    }
  }

  /// Rank 0 prints; all ranks end with its status.
  @Test
  func ranksEndTogetherWhenOutputFails() throws {
    let folder = try Self.folder()
    let evaluate = ["evaluate", "run", "--data", "data"]
    func ranks(_ command: String) throws -> Program.Result {
      try Program.shell(
        ". \(Program.launch)/environment.sh; exec mpirun -q --timeout 300 -np 2 bash -c '\(command)'"
          + " \"$0\" \"$@\"", [Program.path] + evaluate, in: folder.path)
    }
    let full = try ranks("exec \"$0\" \"$@\" > /dev/full")
    #expect(full.status == 74 && full.errors.contains("standard output"), "\(full.errors)")
    let closed = try ranks("\"$0\" \"$@\" | true; exit ${PIPESTATUS[0]}")
    #expect(closed.status == 0 && closed.errors.isEmpty, "\(closed.errors)")
    let script = try Program.shell(
      "ELECTRA_PROGRAM=\"$0\" exec \(Program.launch)/mpirun.sh -np 2 \"$@\" > /dev/full",
      [Program.path] + evaluate, in: folder.path)
    #expect(script.status == 74 && script.errors.contains("standard output"), "\(script.errors)")
  }

  @Test
  func theScriptHandsTheTextToAnswerOn() throws {
    let folder = try Self.folder()
    func shell(_ line: String) throws -> Program.Result {
      try Program.shell(
        "printf 'ba\\nko\\n' | (ELECTRA_PROGRAM=\"$0\" \(Program.launch)/mpirun.sh -np 2 \(line))",
        [Program.path], in: folder.path)
    }
    let answers = try shell("predict --from model")
    #expect(answers.output.split(separator: "\n").count == 2, "\(answers.errors)")
    let rest = try shell("evaluate run --data data > metrics; cat")
    #expect(rest.output == "ba\nko\n", "the other verbs leave it alone")
  }

  /// Alone and under `Launch/mpirun.sh`; mpirun itself ends a job whose output it cannot write.
  @Test
  func aLogThatCannotBeWrittenEndsNoTraining() throws {
    let folder = try preparedData(documents: 100)
    let pretrain =
      ["pretrain"] + smallModel + [
        "--data", "data", "--batch", "8", "--steps", "30", "--log-every", "1", "--output", "run",
      ]
    for program in ["\"$0\"", "ELECTRA_PROGRAM=\"$0\" \(Program.launch)/mpirun.sh -np 2"] {
      for redirection in ["2>&-", "2> /dev/full", "<&- >&- 2>&-", "2> >(exec head -c 1)"] {
        try? FileManager.default.removeItem(atPath: folder.file("run"))
        let result = try Program.shell(
          "\(program) \"$@\" \(redirection)", [Program.path] + pretrain, in: folder.path)
        #expect(result.status == 0, "\(program) \(redirection): \(result.errors)")
        let steps = try folder.names("run/checkpoints")
        #expect(steps.last == "step-00000030", "\(program) \(redirection): \(steps)")
        let file = "run/checkpoints/step-00000030/model.safetensors"
        #expect(try folder.bytes(file)[8] == UInt8(ascii: "{"), "\(redirection)")
      }
    }
  }
}
