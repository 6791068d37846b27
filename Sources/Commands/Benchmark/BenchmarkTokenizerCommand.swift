import ArgumentParser
import Corpus
import Foundation
import Models
import Platform
import Reports
import Tensors
import Tokenization
import Training

/// `electra benchmark tokenizer`: times the conversion of text to ids.
struct BenchmarkTokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer",
    abstract: "Times the tokenizer on the lines of a file in memory.")

  @Argument(help: "A text file, as for tokenize.")
  var text: String

  @Option(help: "The vocabulary: a vocab.txt, a tokenizer.json, or a folder of a model or data.")
  var vocabulary: String

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Option(help: "Threads, each with its part of the lines.")
  var threads = 1

  @Option(help: "Timed passes over the text, after one that is not timed.")
  var rounds = 5

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--threads": threads, "--rounds": rounds])
  }

  private struct Figures: Encodable {
    let threads: Int
    let bytes: Int
    let tokens: Int
    let seconds: Double
    let bytesPerSecond: Double
    let tokensPerSecond: Double
    let peakMemory: Int

    enum CodingKeys: String, CodingKey {
      case threads, bytes, tokens, seconds
      case bytesPerSecond = "bytes_per_second"
      case tokensPerSecond = "tokens_per_second"
      case peakMemory = "peak_memory_bytes"
    }
  }

  func run() throws {
    try runOnOneRank {
      let tokenizer = try Tokenizer(source: vocabulary, chosen: normalization.chosen)
      let source = try TextLines(path: text, field: textField.field)
      var lines: [[UInt8]] = []
      var bytes = 0
      while let line = try source.next() {
        bytes += line.utf8.count + 1
        if !line.isEmpty { lines.append(Array(line.utf8)) }
      }
      try show(measure(lines, tokenizer, bytes: bytes))
    }
  }

  private func measure(_ lines: [[UInt8]], _ tokenizer: Tokenizer, bytes: Int) -> Figures {
    let team = WorkerTeam(processors: Array(repeating: -1, count: threads))
    defer { team.end() }
    let counts = (0..<threads).map { _ in Counter() }
    let threads = threads
    let times = (0...rounds).map { _ in
      let start = now()
      team.run { worker in
        var ids: [Int32] = []
        counts[worker].value = 0
        for line in lines[lines.count * worker / threads..<lines.count * (worker + 1) / threads] {
          ids.removeAll(keepingCapacity: true)
          line.withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
          counts[worker].value += ids.count
        }
      }
      return now() - start
    }
    let seconds = times.dropFirst().median
    let tokens = counts.reduce(0) { $0 + $1.value }
    return Figures(
      threads: threads, bytes: bytes, tokens: tokens, seconds: seconds,
      bytesPerSecond: Double(bytes) / seconds, tokensPerSecond: Double(tokens) / seconds,
      peakMemory: MachineSpeed.peakMemory)
  }

  private func show(_ figures: Figures) throws {
    if json { return try StandardOutput.print(figures.json()) }
    StandardOutput.print(
      "\(figures.threads) threads: \(Int(figures.bytesPerSecond).bytes)/s, "
        + "\(Int(figures.tokensPerSecond).grouped) tokens/s")
  }
}

/// A number that one thread changes.
///
/// Unchecked: one worker of a team writes it during a run, and the main thread reads it after the
/// run; the team's lock orders the two.
private final class Counter: @unchecked Sendable {  // the team's lock orders its users
  var value = 0
}
