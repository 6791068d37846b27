import ArgumentParser
import Collectives
import Corpus
import Platform
import Runs

/// `electra evaluate`: a model's held-out metrics, or its accuracy on minimal pairs.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Prints the held-out metrics of a checkpoint, or its accuracy on minimal pairs.",
    discussion: "Of a run, the newest checkpoint is evaluated.")

  @Argument(help: "A run or a checkpoint; for --minimal-pairs also a Hugging Face folder.")
  var from: String

  @Option(help: "The folder that prepare wrote, for held-out metrics.")
  var data: String?

  @Option(
    help: "A file or folder of text, or - for standard input, for held-out metrics on all of it.")
  var text: String?

  @OptionGroup var textField: TextFieldOption

  @Option(
    help: """
      A file of sentence pairs, tab-separated: the columns good, bad and, for accuracies by \
      phenomenon, phenomenon; or two columns without a header.
      """)
  var minimalPairs: String?

  @Option(help: "Held-out examples; by default 2048.")
  var evaluateExamples: Int?

  @OptionGroup var products: ArithmeticOption

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Detect samples that are equal for all models: unigram, or those of a model.")
  var samples: String?

  @Flag(help: "Print the metrics as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--evaluate-examples": evaluateExamples, "--threads": threads])
    guard [data, text, minimalPairs].compactMap(\.self).count == 1 else {
      throw ValidationError("give one of --data, --text and --minimal-pairs")
    }
    if evaluateExamples != nil && minimalPairs != nil {
      throw ValidationError("--evaluate-examples needs --data or --text")
    }
    if samples != nil && data == nil { throw ValidationError("--samples needs --data") }
  }

  func run() throws {
    StopSignals.install()
    try runOnAllRanks { world in
      try expectEqualPrograms(world, self)
      let evaluation = try ModelEvaluation(
        from, world: world, threads: threads, arithmetic: products.arithmetic)
      let examples = evaluateExamples ?? 2048
      let report: ModelEvaluation.Report
      if let minimalPairs {
        report = try evaluation.minimalPairs(minimalPairs)
      } else if let text {
        let open = { try TextReader(paths: [text], options: .init(field: textField.field)) }
        report = try evaluation.heldOut(text: open, examples: examples)
      } else if let data, let samples {
        report = try evaluation.detection(data: data, samples: samples, examples: examples)
      } else {
        report = try evaluation.heldOut(data: data ?? "", examples: examples)
      }
      if world.rank == 0 { StandardOutput.print(json ? report.json : report.text) }
    }
  }
}
