import Finetuning
import Platform
import TestSupport
import Testing
import Tokenization

/// Files of texts and pairs, including the irregularities of real files.
struct TableTests {
  @Test
  func colaHasNoHeaderAndQuotesAreText() throws {
    let text = "\u{FEFF}gj04\t1\t\tThe cat.\r\ngj04\t0\t*\t\"Cat on\r\n\ncj99\t1\t\tmat"
    let set = try read(try .named("cola"), .training, text)
    #expect(set.examples.map(\.target) == [.label(1), .label(0), .label(1)])
    let tokens = try set.examples.map { try smallTokenizer().tokens($0.tokens) }
    #expect(tokens == ["[CLS] the cat . [SEP]", "[CLS] [UNK] cat on [SEP]", "[CLS] mat [SEP]"])
    #expect(set.labels.names == ["0", "1"] && set.outputCount == 2)
  }

  @Test
  func pairsAreTwoSegments() throws {
    let text =
      "index\tsentence1\tsentence2\tlabel\n0\ta\tthe cat\tnot_entailment\n1\tb\tc\tentailment\n"
    let set = try read(try .named("rte"), .development, text)
    #expect(try smallTokenizer().tokens(set.examples[0].tokens) == "[CLS] a [SEP] the cat [SEP]")
    #expect(set.examples[0].segmentIDs == [0, 0, 0, 1, 1, 1])
    #expect(set.examples.map(\.target) == [.label(1), .label(0)])
  }

  @Test
  func similarityIsAFifthAndTrainsInBothOrders() throws {
    let text = "sentence1\tsentence2\tscore\na\tb\t5.000\nc\td\t2.5\n"
    let train = try read(try .named("stsb"), .training, text)
    #expect(train.examples.map(\.target) == [.score(1), .score(1), .score(0.5), .score(0.5)])
    #expect(train.examples[0].tokens[1] == train.examples[1].tokens[3])
    #expect(train.examples[0].tokens[3] == train.examples[1].tokens[1])
    let dev = try read(try .named("stsb"), .development, text)
    #expect(dev.examples.count == 2 && dev.outputCount == 1)
  }

  @Test
  func theLabelsOfMNLIStandInTheReferenceOrder() throws {
    let text = "x\tsentence1\tsentence2\tgold_label\n\ta\tb\tneutral\n\ta\tb\tcontradiction\n"
    let set = try read(try .named("mnli"), .training, text)
    #expect(set.examples.map(\.target) == [.label(2), .label(0)])
  }

  @Test
  func packedFilesAreFoundInAFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write("sentence\tlabel\nthe cat\t1\non\t0\n", "train.tsv")
    try folder.pack("train.tsv", with: "gzip")
    let task = try Task.named("sst2")
    let file = try task.file(.training, in: folder.path)
    #expect(file.path == folder.file("train.tsv.gz"))
    let set = try ExampleReader(task, tokenizer: smallTokenizer()).read(file)
    #expect(set.examples.count == 2)
    #expect(task.files(in: folder.path).map(\.split.name) == ["train"])
    let error = sentence { _ = try task.file(.development, in: folder.path) }
    #expect(error.contains("no dev file of SST-2") && error.contains("dev.tsv"))
  }

  @Test
  func paraphrasesComeFromMicrosoftsFilesToo() throws {
    let folder = try TemporaryFolder()
    let header = "\u{FEFF}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
    try folder.write(
      header + "1\t10\t11\ta\tb\r\n0\t12\t13\tc\td\r\n0\t14\t15\te\tf\r\n",
      "msr_paraphrase_train.txt")
    try folder.write("12\t13\n", "dev_ids.tsv")
    let task = try Task.named("mrpc")
    let reader = try ExampleReader(task, tokenizer: smallTokenizer())
    let train = try reader.read(try task.file(.training, in: folder.path))
    let dev = try reader.read(try task.file(.development, in: folder.path))
    #expect(train.examples.map(\.target) == [.label(1), .label(1), .label(0), .label(0)])
    #expect(
      try dev.examples.map { try smallTokenizer().tokens($0.tokens) } == ["[CLS] c [SEP] d [SEP]"])
  }

  @Test
  func brokenRowsAreNamedAndThoseOfQQPCounted() throws {
    let text = "id\tquestion1\tquestion2\tis_duplicate\n1\ta\tb\t1\n2\tc\n3\td\te\t0\n"
    let set = try read(try .named("qqp"), .training, text)
    #expect(set.examples.count == 2 && set.notes.shortLines == [3])
    #expect(set.notes.sentences(path: "p")[0].contains("line 3"))
    var task = try Task.named("qqp")
    task.skipsShortRows = false
    #expect(sentence { _ = try read(task, .training, text) }.contains("line 3: 2 columns where 4"))
  }

  @Test(arguments: [
    ("sst2", "text\tlabel\na\t1\n", "no column sentence; its columns are text, label"),
    ("sst2", "sentence\tlabel\tlabel\na\t1\t1\n", "two columns label"),
    ("sst2", "sentence\tlabel\na\t1\nb\t2\n", "line 3: the label \"2\" is not one of 0, 1"),
    ("sst2", "sentence\tlabel\na\t1\nb\t1\n", "every example"),
    ("sst2", "sentence\tlabel\n", "no examples"), ("sst2", "", "no examples"),
    ("sst2", "sentence\tlabel\na\n", "line 2: 1 columns where 2 are needed"),
    ("stsb", "sentence1\tsentence2\tscore\na\tb\tfive\n", "line 2: the score \"five\""),
    ("stsb", "sentence1\tsentence2\tscore\na\tb\tnan\n", "is not a number"),
    ("chunking", "a DT B-NP\nb\n", "line 2: 1 columns where 2"),
    ("chunking", "a DT O\nb DT O\n", "every example"), ("ner", "\n\n", "no examples"),
    ("squad1", "{\"data\": 3}", "is not SQuAD's JSON"), ("squad1", "{\"data\": []}", "no examples"),
    ("squad1", "[", "is not SQuAD's JSON"),
  ])
  func badFilesAreToldInASentence(task: String, text: String, message: String) throws {
    let error = sentence { _ = try read(try .named(task), .training, text) }
    #expect(error.contains(message), "\(error)")
  }

  @Test
  func bytesThatAreNoTextAreNamedByTheirLine() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("sentence\tlabel\na\t1\n".utf8) + [0xFF, 9, 0x30], "x.tsv")
    let task = try Task.named("sst2")
    let reader = try ExampleReader(task, tokenizer: smallTokenizer())
    #expect(throws: TextError.notUTF8(path: path, line: 3)) {
      try reader.read(task.file(.training, at: path))
    }
  }

  @Test
  func aSequenceThatIsTooShortIsRefused() throws {
    #expect(throws: FinetuningError.self) {
      try ExampleReader(try .named("rte"), tokenizer: smallTokenizer(), maximumLength: 7)
    }
  }

  /// The truncation rule step by step: one token at a time.
  private func plainLengths(_ first: Int, _ second: Int, _ room: Int) -> [Int] {
    var (first, second) = (first, second)
    while first + second > room {
      if first > second { first -= 1 } else { second -= 1 }
    }
    return [first, second]
  }

  @Test
  func theLongerTextLosesTokensFirst() throws {
    let encoder = try TextEncoder(tokenizer: smallTokenizer(), maximumLength: 10, task: "")
    for first in 0..<14 {
      for second in 0..<14 {
        let a = [String](repeating: "the", count: first).joined(separator: " ")
        let b = [String](repeating: "cat", count: second).joined(separator: " ")
        let (example, removed) = encoder.encode(a, b)
        let lengths = plainLengths(first, second, 7)
        #expect(example.segmentIDs.count { $0 == 0 } == lengths[0] + 2)
        #expect(example.segmentIDs.count { $0 == 1 } == lengths[1] + 1)
        #expect(removed == first + second - lengths[0] - lengths[1])
      }
    }
    let single = encoder.encode("the cat sat on the mat the cat sat on the mat").example
    #expect(single.tokens.count == 10 && single.tokens.last == 3)
  }
}
