import ArgumentParser
import Corpus
import Foundation
import Models
import Platform

/// `electra detect`: the probability that each token of a text was replaced.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Marks the words of a text that look replaced.",
    discussion: """
      Reads one text per line, or one JSON object per text. A line that is longer than the model's \
      training sequences is split into parts of that length. With --json the output is one object \
      per line with tokens, ids and logits, including [CLS] and [SEP].
      """)

  @Option(help: "A run, a checkpoint, or a Hugging Face discriminator.")
  var from: String

  @Argument(help: "The text; by default, and for -, standard input.")
  var file: String?

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var products: ArithmeticOption

  @Option(help: "Threads; by default all cores.")
  var threads: Int?

  @Flag(
    help: """
      Words in double brackets, such as [[two]], are planted errors: remove the brackets, and say \
      at the end how well the model finds these words.
      """)
  var planted = false

  @Flag(help: "Print tokens, ids and logits as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--threads": threads])
  }

  func run() throws {
    try runOnOneRank {
      var pretrained = try PretrainedDiscriminator(from: from)
      pretrained.arithmetic = products.arithmetic ?? pretrained.arithmetic
      try selectKernel(pretrained.arithmetic)
      let detector = try Detector(
        pretrained, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
      defer { detector.end() }
      let isTerminal = StandardOutput.isTerminal
      let lines = try TextLines(path: file ?? "-", field: textField.field)
      var words = MarkedWords()
      try detector.detect({ try lines.next() }, planted: planted) { text in
        words.add(text)
        StandardOutput.print(json ? try text.json() : text.marked(colour: isTerminal))
        try StandardOutput.flush()
      }
      if let summary = words.summary(json: json) {
        StandardOutput.print(summary)
      } else if planted {
        warn("no word is in double brackets, so there is no AUC")
      }
      lines.warnings.sentences.forEach(warn)
    }
  }
}
