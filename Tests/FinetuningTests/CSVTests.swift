import Finetuning
import TestSupport
import Testing

/// Comma-separated files and JSON arrays as training data and as text to predict.
struct CSVTests {
  private static let review = Task.custom(
    .classification, .table(Columns(first: .named("text"), label: .named("label"))))

  private func texts(
    _ text: String, as name: String = "train.csv", role: SplitRole = .training
  ) throws -> [String] {
    let set = try read(Self.review, role, text, as: name)
    let tokenizer = try smallTokenizer()
    return zip(set.examples, set.goldNames).map { example, label in
      tokenizer.tokens(example.tokens).replacing("[CLS] ", with: "").replacing(" [SEP]", with: "")
        + " = " + label
    }
  }

  @Test(arguments: [
    "text,label\nthe cat,a\nmat,b\n",
    "\u{FEFF}label,other,text\r\na,,the cat\r\n\r\nb,x,mat",
    "\"text\",\"label\"\n\"the\ncat\",a\n  \nmat,\"b\"\n",
    "label,text\n\"a\",the cat\n\"b\",\"mat\"",
  ])
  func recordsAreReadWithTheirQuotes(text: String) throws {
    #expect(try texts(text) == ["the cat = a", "mat = b"])
  }

  @Test
  func quotesCommasAndLineBreaksAreText() throws {
    let text = "text,label\n\"the, \"\"cat\"\"\r\nsat\",a\non \"the\" mat,b\n"
    let quoted = try texts(text)
    #expect(quoted == ["the , [UNK] cat [UNK] sat = a", "on [UNK] the [UNK] mat = b"])
  }

  @Test(arguments: [
    ("text,label\na,x\n\"b\nc,y\n", "line 3: the field that begins here"),
    ("text,label\n\"a\n\nb\"c,x\n", "line 4: text after a closing quotation mark"),
    ("text,label\n\"a\nb\",x\n\nc\n", "line 5: 1 fields where the first row has 2"),
    ("text,label\na,b,x\n", "line 2: 3 fields where the first row has 2"),
    ("body,label\na,x\n", "no column text; its columns are body, label"),
    ("text;label\na;x\n", "no column text; its columns are text;label"),
    ("text,label\n", "no examples"), ("", "no examples"),
    ("text,label\nthe,a\ncat,\n", "line 3: the label is empty"),
  ])
  func theLineOfAMalformedRecordIsNamed(text: String, message: String) {
    let error = sentence { _ = try texts(text) }
    #expect(error.contains(message), "\(error)")
  }

  @Test
  func aFolderMayHaveCSVFiles() throws {
    let folder = try TemporaryFolder()
    try folder.write("text,label\nthe,a\ncat,b\n", "train.csv")
    try folder.pack("train.csv", with: "gzip")
    let file = try Self.review.file(.training, in: folder.path)
    #expect(file.path == folder.file("train.csv.gz"))
    let set = try ExampleReader(Self.review, tokenizer: smallTokenizer()).read(file)
    #expect(set.examples.count == 2)
  }

  /// Arrays on one line and on many, and objects on several lines, with and without a name.
  @Test(
    arguments: [
      #"[{"text": "the cat", "label": "a"}, {"text": "mat", "label": "b"}]"#,
      "[\n  {\n    \"text\": \"the cat\",\n    \"label\": \"a\"\n  },\n"
        + "  {\"label\": \"b\", \"text\": \"mat\"}\n]\n",
      "{\n\"text\": \"the cat\", \"label\": \"a\"\n}\n{\n\"text\": \"mat\", \"label\": \"b\"\n}\n",
    ], ["train.json", "train.txt"])
  func objectsAreReadFromArrays(text: String, name: String) throws {
    #expect(try texts(text, as: name) == ["the cat = a", "mat = b"])
  }

  @Test(arguments: [
    ("[{\"text\": \"a\", \"label\": \"x\"},\n\n{\"text\": \"b\"}]", "line 3: the field \"label\""),
    ("[{\"text\": \"a\", \"label\": \"x\"},\n{\"text\"\n", "line 2: not a JSON object"),
    ("[{\"text\": \"a\", \"label\": \"x\"}\n", "line 2: not a JSON object"),
    ("[{\"text\": \"a\", \"label\": \"x\"},\n7]\n", "line 2: not a JSON object"),
    ("[]", "no examples"),
  ])
  func theLineOfAMalformedObjectIsNamed(text: String, message: String) {
    let error = sentence { _ = try texts(text, as: "train.json") }
    #expect(error.contains(message), "\(error)")
  }

  @Test
  func wordsAndTagsComeInArrays() throws {
    let task = Task.custom(.tagging, .words(WordColumns()))
    let text =
      #"[{"tokens": ["the", "cat"], "tags": ["A", "B"]},"# + "\n"
      + #"{"tokens": ["mat"], "tags": ["B"]}]"#
    let set = try read(task, .training, text, as: "train.json")
    #expect(set.examples.map(\.target) == [.tags([-1, 0, 1, -1]), .tags([-1, 1, -1])])
  }

  @Test(arguments: [
    ("id,text\n1,the cat\n2,\"mat\"\n", "x.csv"),
    (#"[{"text": "the cat"}, {"text": "mat"}]"#, "standard input"),
    ("[\n{\"text\": \"the cat\"},\n{\"text\": \"mat\"}\n]\n", "x.json"),
  ])
  func newTextIsReadFromTablesAndArrays(text: String, name: String) throws {
    let file = try NewText(Self.review, Array(text.utf8), from: name).taskFile()
    let tokenizer = try smallTokenizer()
    let set = try ExampleReader(Self.review, tokenizer: tokenizer)
      .read(file, labels: LabelSet(["a", "b"]))
    #expect(
      set.examples.map { tokenizer.tokens($0.tokens) } == [
        "[CLS] the cat [SEP]", "[CLS] mat [SEP]",
      ]
    )
  }
}

extension ExampleSet {
  /// The name of each example's label.
  fileprivate var goldNames: [String] {
    examples.map { if case .label(let index) = $0.target { labels.names[index] } else { "" } }
  }
}
