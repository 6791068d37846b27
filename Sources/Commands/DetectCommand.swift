import ArgumentParser
import Corpus
import Foundation
import Models
import Platform

/// `electra detect`: for each token of a text, the probability that it was replaced.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Marks the words of a text that seem to have been replaced.",
    discussion: """
      Reads one text a line, or JSON objects with a text each. A line that is longer than what the model was trained on is judged in \
      parts of that length. With --json every line becomes an object with tokens, ids and logits, \
      [CLS] and [SEP] included.
      """)

  @Option(help: "The folder of a run, of a checkpoint, or of a Hugging Face discriminator.")
  var from: String

  @Argument(help: "The text; standard input if none is given or for -.")
  var file: String?

  @OptionGroup var textField: TextFieldOption

  @Option(help: "Threads; by default all cores.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Print tokens, ids and logits as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--threads": threads])
  }

  func run() throws {
    try runOnOneRank {
      let detector = try Detector(try PretrainedDiscriminator(from: from), threads: threads)
      defer { detector.end() }
      let isTerminal = StandardOutput.isTerminal
      let lines = try TextLines(path: file ?? "-", field: textField.field)
      try detector.detect({ try lines.next() }) { text in
        StandardOutput.print(json ? try text.json() : text.marked(colour: isTerminal))
        try StandardOutput.flush()
      }
      lines.warnings.sentences.forEach(warn)
    }
  }
}
