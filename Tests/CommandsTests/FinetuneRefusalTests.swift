import Foundation
import TestSupport
import Testing

/// Fine-tunings that `finetune` refuses, and the changes that it allows to an existing one.
@Suite(.serialized)
struct FinetuneRefusalTests {
  private static let finetune = ["finetune", "own", "--from", "run", "--output", "out"]
  private static let files = ["--train", "train.tsv", "--dev", "dev.tsv"]

  /// Wrong arguments, the exit status, and a part of the message.
  private static let mistakes: [(arguments: [String], status: Int32, says: String)] = [
    (finetune + ["--train", "train.tsv", "--dev", "bad.tsv"], 65, "bad.tsv, line 3"),
    (finetune + ["--train", "train.tsv", "--dev", "none.tsv"], 66, "none.tsv"),
    (finetune + ["--train", "empty.tsv", "--dev", "dev.tsv"], 65, "no examples in empty.tsv"),
    (finetune + ["--train", "train.tsv", "--dev", "empty.tsv"], 65, "no examples in empty.tsv"),
    (finetune + ["--train", "one.tsv", "--dev", "dev.tsv"], 65, "has the label \"yes\""),
    (finetune + ["--train", "short.tsv", "--dev", "dev.tsv"], 65, "short.tsv, line 3: 1"),
    (finetune + files + ["--text", "body"], 65, "no column body"),
    (
      ["finetune", "own", "--from", "other", "--output", "out"] + files, 65,
      "vocab.txt and tokenizer.json have different tokens"
    ), (["predict", "--from", "run"], 66, "give the folder of a finished fine-tuning"),
    (finetune + files + ["--length", "1000"], 64, "a length of 1000"),
    (finetune + files + ["--slices", "3"], 64, "power of two"),
    (finetune + files + ["--epochs", "0"], 64, "epochs are 0"),
    (finetune + files + ["--epochs", "1e300"], 64, "at most 100000"),
    (finetune + files + ["--batch", "9223372036854775807"], 64, "a batch of 92233720"),
    (finetune + files + ["--text", "9223372036854775807"], 65, "no column 92233720"),
    (
      finetune + ["--problem", "tagging", "--train", "train.txt", "--dev", "dev.txt"]
        + ["--text", "form"], 64, "train.txt has columns without names"
    ),
    (["finetune", "own", "--from", "data", "--output", "out"] + files, 66, "it has no model"),
    (["finetune", "poetry", "--from", "run", "--output", "out"] + files, 64, "no task poetry"),
    (
      ["finetune", "cola", "--from", "run", "--output", "out", "--data", "data"], 66, "train.tsv"
    ),
    (finetune + ["--train", "open.csv", "--dev", "dev.tsv"], 65, "open.csv, line 3: the field"),
    (
      finetune + files + ["--class-weights", "maybe=2"], 64,
      "no class maybe; the classes are no, yes"
    ),
    (finetune + files + ["--class-weights", "yes=0"], 64, "--class-weights yes=0: a weight is"),
    (
      finetune + files + ["--problem", "multilabel", "--class-weights", "balanced"], 64,
      "is for classification and tagging, and own is multilabel"
    ),
    (finetune + ["--train", "train.tsv", "--folds", "301"], 64, "between 2 and the 300 examples"),
    (finetune + ["--train", "two.tsv", "--folds", "2"], 64, "fold 1 of --folds 2 would train on"),
  ]

  @Test
  func everyMistakeIsOneSentenceOnOneAndTwoRanks() throws {
    let folder = try finetuningFiles()
    try folder.write("text\tlabel\nba ko\tyes\nli mu\tperhaps\n", "bad.tsv")
    try folder.write("", "empty.tsv")
    try folder.write("text\tlabel\nba ko\tyes\nli mu\tyes\n", "one.tsv")
    try folder.write("text\tlabel\nba ko\tyes\nli mu\n", "short.tsv")
    try folder.write("text,label\nba ko,yes\n\"li mu,no\nne,yes\n", "open.csv")
    try folder.write("text\tlabel\nba ko\tyes\nli mu\tno\n", "two.tsv")
    let exported = try Program.run(
      ["export", "--from", "run", "--output", "other"], in: folder.path)
    #expect(exported.status == 0, "\(exported.errors)")
    try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nba\n", "other/vocab.txt")
    for (arguments, status, says) in Self.mistakes {
      for ranks in [nil, 2] {
        let result = try Program.run(arguments, ranks: ranks, in: folder.path)
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(says), "\(arguments): \(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
  }

  /// Options that exclude each other are refused before any file is read.
  @Test(arguments: [
    (["--folds", "3", "--dev", "dev.tsv"], "omit --dev"),
    (["--folds", "3", "--seeds", "2"], "omit --seeds"),
    (["--folds", "1"], "--folds must be at least 2, not 1"), ([], "(or --folds)"),
  ])
  func foldsReplaceDevFileAndSeeds(options: [String], says: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(
      Self.finetune + ["--train", "train.tsv"] + options, in: folder.path)
    #expect(result.status == 64 && result.errors.contains(says), "\(result.errors)")
  }

  @Test
  func aDryRunMakesNothing() throws {
    let folder = try finetuningFiles()
    let result = try Program.run(
      FinetuneTests.classification + ["--output", "out", "--dry-run"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("300 training sequences"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
  }

  /// Without the check, ranks with different dev files would wait for each other forever.
  @Test
  func ranksWithOtherDevDataAreRefused() throws {
    let folder = try finetuningFiles()
    for (rank, dev) in ["dev.tsv", "train.tsv"].enumerated() {
      let rankFolder = "\(folder.path)/\(rank)"
      try FileManager.default.createDirectory(
        atPath: rankFolder, withIntermediateDirectories: false)
      for (name, from) in [("train.tsv", "train.tsv"), ("dev.tsv", dev)] {
        try FileManager.default.copyItem(
          atPath: "\(folder.path)/\(from)", toPath: "\(rankFolder)/\(name)")
      }
    }
    let result = try Program.shell(
      ". \(Program.launch)/environment.sh; exec mpirun -q --timeout 300 -np 2 bash -c "
        + "'exec \(Program.path) finetune own --from run --output out "
        + "--data $OMPI_COMM_WORLD_RANK'", in: folder.path)
    #expect(result.status == 78, "\(result.errors)")
    #expect(result.errors.contains("dev or test data"), "\(result.errors)")
  }

  @Test
  func nothingThatMattersMayChangeInsideAFinetuning() throws {
    let folder = try finetuningFiles()
    let first = try Program.run(
      FinetuneTests.classification + ["--output", "out", "--hours", "0"], in: folder.path)
    #expect(first.status == 75, "\(first.errors)")
    let second = try Program.run(
      ["pretrain"] + smallModel + [
        "--data", "data", "--output", "second", "--batch", "8", "--steps", "2",
      ], in: folder.path)
    #expect(second.status == 0, "\(second.errors)")
    for (option, value) in [
      ("--learning-rate", "0.5"), ("--batch", "16"), ("--slices", "4"), ("--head", "reference"),
      ("--dev", "train.tsv"), ("--test", "dev.tsv"), ("--train", "dev.tsv"), ("--from", "second"),
      ("--length", "20"), ("--epochs", "3"), ("--layer-decay", "0.5"), ("--warmup", "0.3"),
      ("--dropout", "0.2"), ("--micro-batch", "70"), ("--seed", "7"), ("--scratch", nil),
      ("--text", "label"), ("--arithmetic", "bfloat16"), ("--class-weights", "balanced"),
    ] {
      // A run succeeds if its dry run does.
      for dry in [[], ["--dry-run"]] {
        let result = try Program.run(
          FinetuneTests.classification + ["--output", "out", option] + [value].compactMap(\.self)
            + dry,
          in: folder.path)
        #expect(result.status == 64, "\(option): \(result.errors)")
        #expect(result.errors.contains("out contains another fine-tuning"), "\(result.errors)")
        #expect(result.errors.contains(option), "\(option): \(result.errors)")
      }
    }
    // Options that do not affect the result may change, and so may the number of seeds.
    let other = try Program.run(
      FinetuneTests.classification + [
        "--output", "out", "--threads", "2", "--log-every", "2", "--save-minutes", "1", "--hours",
        "0", "--deadline", "step=90", "--grace", "20", "--seeds", "2",
      ], in: folder.path)
    #expect(other.status == 75, "\(other.errors)")
    let same = try Program.run(FinetuneTests.classification + ["--output", "out"], in: folder.path)
    #expect(same.status == 0, "\(same.errors)")
  }

  /// The number of slices is read from the file: batches were divided by the edited one.
  @Test
  func anEditedConfigurationIsRefused() throws {
    let folder = try finetuningFiles()
    let command = FinetuneTests.classification + ["--output", "out", "--hours", "0"]
    let first = try Program.run(command, in: folder.path)
    #expect(first.status == 75, "\(first.errors)")
    let text = try folder.text("out/finetuning.json")
    for (key, value, says) in [
      ("slices", "0", "slices is 0"), ("slices", "3", "power of two"),
      ("format_version", "2", "its format is 2"),
    ] {
      let edited = text.replacingOccurrences(
        of: "\"\(key)\" : [0-9]+", with: "\"\(key)\" : \(value)", options: .regularExpression)
      #expect(edited != text, "\(key)")
      try folder.write(edited, "out/finetuning.json")
      let second = try Program.run(command, in: folder.path)
      #expect(second.status == 65, "\(key): \(second.errors)")
      let isNamed = second.errors.contains("finetuning.json") && second.errors.contains(says)
      #expect(isNamed, "\(second.errors)")
    }
  }

  /// Tables have a value of each seed for each measure.
  @Test
  func anEditedResultIsRefused() throws {
    let folder = try finetuningFiles()
    let command = FinetuneTests.classification + ["--output", "out"]
    let first = try Program.run(command, in: folder.path)
    #expect(first.status == 0, "\(first.errors)")
    let text = try folder.text("out/seed-1/result.json")
    let edited = text.replacingOccurrences(
      of: "\"values\":\\[[^\\]]*\\]", with: "\"values\":[]", options: .regularExpression)
    #expect(edited != text, "\(text)")
    try folder.write(edited, "out/seed-1/result.json")
    let second = try Program.run(command, in: folder.path)
    #expect(second.status == 65, "\(second.errors)")
    #expect(second.errors.contains("result.json: it has 0 values"), "\(second.errors)")
  }

  /// New weights have no checksum, so their number stands for the encoder that `--from` names.
  @Test
  func newWeightsKeepTheSizesOfTheFirstStart() throws {
    let folder = try finetuningFiles()
    let other = try Program.run(
      [
        "pretrain", "--data", "data", "--output", "small", "--preset", "small", "--batch", "8",
        "--steps", "1",
      ], in: folder.path)
    #expect(other.status == 0, "\(other.errors)")
    let scratch = FinetuneTests.classification + ["--output", "out", "--scratch", "--hours", "0"]
    let first = try Program.run(scratch, in: folder.path)
    #expect(first.status == 75, "\(first.errors)")
    let refused = try Program.run(scratch + ["--from", "small"], in: folder.path)
    #expect(refused.status == 64, "\(refused.errors)")
    #expect(refused.errors.contains("sizes of another encoder (--from)"), "\(refused.errors)")
    let again = try Program.run(scratch, in: folder.path)
    #expect(again.status == 75, "\(again.errors)")
  }
}
