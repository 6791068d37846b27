import Finetuning
import Foundation
import TestSupport
import Testing

/// Sentences of words, from file to targets, and from outputs to tags.
struct TagTests {
  private let text = """
    -DOCSTART- -X- O

    the DT B-NP
    catx NN I-NP
    sat VBD B-VP

    on IN B-PP

    """

  @Test
  func theFirstTokenOfAWordCarriesItsTag() throws {
    let set = try read(try .named("ner"), .training, text)
    #expect(set.labels.names == ["B-NP", "B-PP", "B-VP", "I-NP"])
    #expect(try smallTokenizer().tokens(set.examples[0].tokens) == "[CLS] the cat ##x sat [SEP]")
    #expect(set.examples.map(\.target) == [.tags([-1, 0, 3, -1, 2, -1]), .tags([-1, 1, -1])])
  }

  @Test
  func chunksAreLearntAsBIOESAndWrittenAsBIO() throws {
    let set = try read(try .named("chunking"), .training, text)
    #expect(set.labels.names == ["B-NP", "E-NP", "S-PP", "S-VP"])
    #expect(set.examples[0].target == .tags([-1, 0, 1, -1, 3, -1]))
    let predictions = set.predictions(outputs: outputs(for: set))
    #expect(predictions == .tags([["B-NP", "I-NP", "B-VP"], ["B-PP"]]))
    #expect(set.scores(of: predictions).map(\.value) == [1, 1, 1, 1])
    let file = try set.files(of: predictions)[0]
    #expect(file.name == "train_predictions.txt")
    #expect(file.text.hasPrefix("the B-NP B-NP\ncatx I-NP I-NP\nsat B-VP B-VP\n\non "))
  }

  /// Chunking has no test split; the scores of such a file must not have the name of another split.
  @Test
  func aTestFileOfAnyTaskIsCalledTest() throws {
    for task in Task.all where task.name != "mnli" && task.name != "ax" {
      let split = task.file(.test, at: "other.txt").split
      #expect(split.name == "test" && split.role == .test, "\(task.name)")
    }
  }

  /// Outputs that are largest at the target.
  private func outputs(for set: ExampleSet) -> [[Float]] {
    set.examples.map { example in
      guard case .tags(let tags) = example.target else { return [] }
      return tags.flatMap { tag in (0..<set.outputCount).map { Float($0 == Int(tag) ? 1 : 0) } }
    }
  }

  @Test
  func longSentencesAreCutBetweenWordsAndJoinedAgain() throws {
    let words = (0..<40).map { "w\($0) X \($0 % 3 == 0 ? "B-A" : "I-A")" }
    let set = try read(
      try .named("ner"), .training, words.joined(separator: "\n"), length: 12)
    #expect(set.examples.count > 5)
    #expect(set.examples.allSatisfy { $0.tokens.count <= 12 && $0.tokens.count > 7 })
    let predictions = set.predictions(outputs: outputs(for: set))
    #expect(predictions == .tags([words.map { String($0.suffix(3)) }]))
  }

  @Test
  func aWordWithoutTokenIsUnknown() throws {
    let set = try read(try .named("ner"), .training, "\u{200B}\tO\nthe\tB-X\n")
    #expect(try smallTokenizer().tokens(set.examples[0].tokens) == "[CLS] [UNK] the [SEP]")
  }

  @Test
  func tagsThatTrainingLacksAreCountedAsMissed() throws {
    let train = try read(try .named("ner"), .training, text)
    let dev = try read(
      try .named("ner"), .development, "the B-X\nmat O\n", labels: train.labels)
    #expect(dev.notes.unknownTags == 2)
    #expect(dev.examples[0].target == .tags([-1, -1, -1, -1]))
    #expect(dev.scores(of: dev.predictions(outputs: outputs(for: dev)))[0].value == 0)
  }

  @Test
  func untaggedFilesAreReadForTesting() throws {
    let set = try read(
      try .named("ner"), .test, "the\ncat\n\nsat\n", labels: LabelSet(["O", "B-X"]))
    #expect(set.examples.map(\.target) == [.none, .none] && !set.isLabelled)
    let text = try set.files(of: .tags([["O", "B-X"], ["O"]]))[0].text
    #expect(text == "the O\ncat B-X\n\nsat O\n\n")
    #expect(sentence { _ = try read(try .named("ner"), .test, "the\n") }.contains("no labels"))
  }

  @Test
  func bothFormsHoldTheSameEntities() {
    var draws = Draws(state: 3)
    for _ in 0..<300 {
      let count = Int.random(in: 1..<12, using: &draws)
      let tags = (0..<count).map { _ in
        ["O", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-Y"].randomElement(using: &draws) ?? "O"
      }
      let entities = Tags.entities(tags)
      for form in [false, true] {
        #expect(Tags.entities(Tags.tags(of: entities, count: count, bioes: form)) == entities)
      }
    }
  }

  /// BILOU tags are learned and written as they are, and scored as the same entities.
  @Test
  func bilouTagsMarkEntities() throws {
    let bilou = ["B-A", "I-A", "L-A", "U-B", "O", "B-B", "L-B", "U-A"]
    let bioes = bilou.map {
      $0.replacingOccurrences(of: "L-", with: "E-").replacingOccurrences(of: "U-", with: "S-")
    }
    #expect(Tags.entities(bilou) == Tags.entities(bioes) && Tags.entities(bilou).count == 4)
    let text = bilou.enumerated().map { "w\($0) X \($1)\n" }.joined()
    for name in ["ner", "chunking"] {
      let set = try read(try .named(name), .training, text)
      #expect(set.labels.names == ["O", "B-A", "B-B", "I-A", "L-A", "L-B", "U-A", "U-B"])
      let predictions = set.predictions(outputs: outputs(for: set))
      #expect(predictions == .tags([bilou]))
      #expect(set.scores(of: predictions).map(\.metric).first == .entityF1)
      #expect(set.scores(of: predictions).map(\.value) == [1, 1, 1, 1])
    }
    // A unit ends its entity: an inside of the same kind begins another one.
    #expect(Tags.entities(["U-A", "I-A"]).map(\.range) == [0..<1, 1..<2])
    // Tags that only begin with these letters mark no entities.
    #expect(Tags.entities(["LOC", "LOC"]).map(\.range) == [0..<2])
  }
}
