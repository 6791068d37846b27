import Foundation
import TestSupport
import Testing

/// `electra vocabulary` and `electra tokenize` as a user runs them.
struct TokenizationVerbTests {
  private static let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "he", "##y", "é", "!"]

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(Self.tokens.joined(separator: "\n"), "vocab.txt")
    try folder.write("hey hey hey\n\nthe end\n", "text.txt")
    return folder
  }

  @Test
  func everyLineOfTextGivesALineOfIds() throws {
    let folder = try folder()
    let arguments = ["tokenize", "--vocabulary", "vocab.txt"]
    let input = "Hey!\n\n[MASK] he x"
    let ids = try Program.run(arguments, input: input, in: folder.path)
    #expect(ids.output == "5 6 8\n\n4 5 1\n")
    let accents = try Program.run(
      arguments + ["--keep-accents", "-"], input: "É", in: folder.path)
    #expect(accents.output == "7\n")
    let json = try Program.run(arguments + ["--json"], input: "hey", in: folder.path)
    #expect(json.output == "{\"ids\":[5,6],\"tokens\":[\"he\",\"##y\"]}\n")
    // NUL is dropped like other control characters, as in Hugging Face.
    let control = try Program.run(arguments, input: "he\0y\u{1}\n", in: folder.path)
    #expect(control.status == 0 && control.output == "5 6\n", "\(control.errors)")
  }

  @Test
  func aVocabularyIsTrainedOnFilesAndStandardInput() throws {
    let folder = try folder()
    let file = try Program.run(
      ["vocabulary", "text.txt", "--size", "20", "--output", "a.txt"], in: folder.path)
    #expect(file.status == 0, "\(file.errors)")
    let stream = try Program.run(
      ["vocabulary", "-", "--size", "20", "--output", "b.txt", "--threads", "3"],
      input: "hey hey hey\n\nthe end\n", in: folder.path)
    #expect(stream.status == 0, "\(stream.errors)")
    let made = try folder.text("a.txt")
    #expect(made.split(separator: "\n").contains("hey"))
    #expect(try folder.text("b.txt") == made)
  }

  @Test
  func tokensAreReservedAndRarePairsLeftOut() throws {
    let folder = try folder()
    func tokens(_ options: String...) throws -> [Substring] {
      let arguments = ["vocabulary", "text.txt", "--size", "30", "--output", "v.txt"] + options
      let result = try Program.run(arguments, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      defer { try? FileManager.default.removeItem(atPath: folder.file("v.txt")) }
      return try folder.text("v.txt").split(separator: "\n")
    }
    #expect(try tokens("--reserve", "2").prefix(4) == ["[PAD]", "[unused0]", "[unused1]", "[UNK]"])
    #expect(try tokens().contains("hey") && !tokens().contains("end"))
    #expect(try tokens("--minimum-frequency", "1").contains("end"))
    #expect(try !tokens("--minimum-frequency", "4").contains("hey"))
  }

  @Test(arguments: [
    (["vocabulary", "text.txt", "--output", "vocab.txt"], 73, "vocab.txt exists"),
    (["vocabulary", "text.txt", "--output", "no/v.txt"], 73, "cannot write no/v.txt"),
    (["vocabulary", "none.txt", "--output", "v.txt"], 66, "none.txt"),
    (["vocabulary", "text.txt", "--output", "v.txt", "--size", "6"], 64, "raise --size"),
    (["vocabulary", "text.txt", "--output", "v.txt", "--size", "0"], 64, "--size"),
    (["vocabulary", "text.txt", "--output", "v.txt", "--reserve", "0"], 64, "--reserve"),
    (
      ["vocabulary", "text.txt", "--output", "v.txt", "--minimum-frequency", "0"], 64,
      "--minimum-frequency"
    ),
    (["tokenize", "--vocabulary", "none.txt"], 66, "none.txt"),
    (["tokenize", "--vocabulary", "vocab.txt", "none.txt"], 66, "none.txt"),
    (["tokenize", "--vocabulary", "text.txt"], 65, "line 2"),
  ])
  func badInputIsRefused(arguments: [String], status: Int32, says: String) throws {
    let folder = try folder()
    let result = try Program.run(arguments, in: folder.path)
    #expect(result.status == status)
    #expect(result.errors.contains(says), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/v.txt"))
    let vocabulary = try folder.text("vocab.txt")
    #expect(vocabulary == Self.tokens.joined(separator: "\n"))
  }
}
