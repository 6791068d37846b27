import Finetuning
import TestSupport
import Testing

/// Files of Universal Dependencies, and lines that are not words.
struct CoNLLUTests {
  private let text = """
    # sent_id = doc-0
    # text = The cat sat.
    1-2\tThecat\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
    1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
    2\tcat\tcat\tNOUN\tNN\t_\t3\tnsubj\t_\t_
    2.1\tmat\tmat\tNOUN\tNN\t_\t_\t_\t_\t_
    3\tsat\tsit\tVERB\tVBD\t_\t0\troot\t_\t_

    # sent_id = doc-1
    1\t#\t#\tSYM\tSYM\t_\t0\troot\t_\t_

    """

  private func task(_ columns: WordColumns) -> Task { Task.custom(.tagging, .words(columns)) }

  private func predictions(_ set: ExampleSet) throws -> String {
    let tags = set.words.map { $0.map { _ in "X" } }
    return try set.files(of: .tags(tags))[0].text
  }

  @Test
  func commentsRangesAndEmptyNodesAreNoWords() throws {
    let set = try read(task(WordColumns(word: 1, tag: 3)), .training, text, as: "x.conllu")
    #expect(set.words == [["the", "cat", "sat"], ["#"]])
    #expect(set.labels.names == ["DET", "NOUN", "SYM", "VERB"])
    #expect(try predictions(set) == "the DET X\ncat NOUN X\nsat VERB X\n\n# SYM X\n\n")
  }

  @Test
  func aFileThatWasCutInsideItsLastRowLosesThatSentenceWithANote() throws {
    let cut = text + "\n# sent_id = doc-2\n1\tthe\tth"
    let set = try read(task(WordColumns(word: 1, tag: 3)), .training, cut, as: "x.conllu")
    #expect(set.words == [["the", "cat", "sat"], ["#"]])
    #expect(set.notes.cutLine == 13)
    for whole in [cut + "\n", cut + "\n2\tcat\tcat\tNOUN\t_\t_\t_\t_\t_\t_\n"] {
      #expect(throws: FinetuningError.self) {
        try read(task(WordColumns(word: 1, tag: 3)), .training, whole, as: "x.conllu")
      }
    }
  }

  /// The format is recognised by its content, whatever the file's name.
  @Test
  func columnsCanBeNamedAndAreFormAndUPOSIfNot() throws {
    let usual = try read(task(WordColumns()), .training, text, as: "x.txt")
    #expect(usual.words[0] == ["the", "cat", "sat"] && usual.labels.names.contains("NOUN"))
    let named = try read(
      task(WordColumns(wordField: "LEMMA", tagField: "xpos")), .training, text, as: "x.txt")
    #expect(named.words[0] == ["the", "cat", "sit"] && named.labels.names.contains("VBD"))
    let plus =
      "# global.columns = ID FORM X:Y UPOS\n# a comment\n1-2\tab\t_\t_\n1\ta\tq\tDET\n2\tb\tr\tX\n"
    let set = try read(task(WordColumns()), .training, plus, as: "x.conllup")
    #expect(set.words == [["a", "b"]] && set.labels.names == ["DET", "X"])
    let other = try read(task(WordColumns(tagField: "x:y")), .training, plus, as: "x.conllup")
    #expect(other.labels.names == ["q", "r"])
    let lower = plus.replacing("X:Y", with: "x:y")
    let same = try read(task(WordColumns(tagField: "X:Y")), .training, lower, as: "x.conllup")
    #expect(same.labels.names == ["q", "r"])
  }

  @Test
  func namesAreOfferedByJSONLinesAndCoNLLUOnly() throws {
    let folder = try TemporaryFolder()
    let tagging = task(WordColumns())
    for (name, text, holds) in [
      ("a.conllu", text, true), ("b.txt", "the DT\ncat NN\n", false),
      ("c.txt", "{\"UPOS\": [\"X\"]}\n", true), ("d.txt", "{ DT\n", false),
    ] {
      let path = try folder.write(text, name)
      #expect(try tagging.file(.training, at: path).hasColumn(named: "UPOS") == holds, "\(name)")
    }
  }

  /// In other formats, such as CoNLL-2000, a number sign is a word; lines that begin or end a
  /// document are not words.
  @Test
  func otherFormsKeepTheirNumberSigns() throws {
    let set = try read(
      task(WordColumns()), .training,
      "#begin document (bc/cctv); part 000\nthe O\n# B-X\n\n-DOCSTART- O\n\non O\n#end document\n")
    #expect(set.words == [["the", "#"], ["on"]])
  }

  @Test
  func aTestFileMayLackTheColumnOfTags() throws {
    let columns = WordColumns(word: 0, tag: 3)
    let set = try read(
      task(columns), .test, "the x\ncat y\n", labels: LabelSet(["DET", "NOUN"]))
    #expect(set.words == [["the", "cat"]] && !set.isLabelled)
    let error = sentence { _ = try read(task(columns), .development, "the x\n") }
    #expect(error.contains("line 1: 2 columns where 4 are needed"), "\(error)")
  }
}
