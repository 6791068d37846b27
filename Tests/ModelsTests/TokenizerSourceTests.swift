import Foundation
import Models
import TestSupport
import Testing
import Tokenization

/// What `--vocabulary` takes.
struct TokenizerSourceTests {
  private func tokenizer(
    _ path: String, _ chosen: TextNormalization? = nil
  ) throws -> Tokenizer { try Tokenizer(source: path, chosen: chosen) }

  @Test
  func everyKindOfSourceGivesTheSameTokenizer() throws {
    let folder = try exportedRun()
    let expected = try smallTokenizer()
    for name in [
      "discriminator", "discriminator/tokenizer.json", "discriminator/vocab.txt", "run",
      "run/checkpoints/step-00000005",
    ] {
      #expect(try tokenizer(folder.file(name)).difference(from: expected) == nil, "\(name)")
    }
  }

  @Test
  func aListOfTokensTakesTheNormalizationThatIsChosen() throws {
    let folder = try exportedRun()
    let list = folder.file("discriminator/vocab.txt")
    #expect(try tokenizer(list).normalization == .uncased)
    #expect(try tokenizer(list, .cased).normalization == .cased)
  }

  @Test(arguments: ["discriminator", "discriminator/tokenizer.json"])
  func anOptionThatContradictsTheModelIsRefused(name: String) throws {
    let folder = try exportedRun()
    _ = try tokenizer(folder.file(name), .uncased)
    for (chosen, option) in [
      (TextNormalization.cased, "--cased"), (.keepAccents, "--keep-accents"),
    ] {
      let problem = sentence { _ = try tokenizer(folder.file(name), chosen) }
      #expect(problem.hasPrefix("\(option) contradicts the tokenizer of"), "\(problem)")
      #expect(problem.contains("(lower case, accents stripped)"))
    }
  }

  @Test
  func otherPathsAreNamed() throws {
    let folder = try exportedRun()
    for (path, says) in [
      ("none.txt", "none.txt"), ("none.json", "none.json"),
      ("google/electra-small-discriminator", "hf download"),
      (folder.path, "give one of them"), (folder.file("discriminator/config.json"), "vocabulary"),
    ] {
      let problem = sentence { _ = try tokenizer(path) }
      #expect(problem.contains(says), "\(path): \(problem)")
    }
  }
}
