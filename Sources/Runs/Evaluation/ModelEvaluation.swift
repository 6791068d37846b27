import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
import Tokenization
import Training

/// An evaluation of a stored model on all ranks: `electra evaluate`.
///
///     let evaluation = try ModelEvaluation("run", world: world, threads: nil, arithmetic: nil)
///     print(try evaluation.heldOut(data: "data", examples: 2048).text)
///
/// Every rank must call the initializer and each function. The result is the same for any number of
/// ranks and threads. Functions throw `TrainerError.stopped` on all ranks where a signal requests a
/// stop.
package struct ModelEvaluation {
  let path: String
  let world: Communicator
  let processors: [Int]
  private let arithmetic: Arithmetic?

  /// The result, for people and as one line of JSON.
  package struct Report {
    package let text: String
    package let json: String

    init(text: String, json: String) { (self.text, self.json) = (text, json) }

    /// The metrics of a line, below `heading`.
    init(_ heading: String, _ line: MetricsLine) {
      let rows = line.values.filter { $0.name != MetricName.examples.rawValue }.map { value in
        "  " + MetricName.words(value.name).leftAligned(24)
          + String(format: " %8.4f", value.number)
      }
      self.init(text: ([heading] + rows).joined(separator: "\n"), json: line.json)
    }
  }

  /// Evaluates the model at `path`.
  ///
  /// `threads` are those of this rank, nil for its share of the host's cores. `arithmetic` replaces
  /// that of the model. Throws an error of communication.
  package init(
    _ path: String, world: Communicator, threads: Int?, arithmetic: Arithmetic?
  ) throws {
    (self.path, self.world, self.arithmetic) = (path, world, arithmetic)
    processors = try RankLayout(world: world, threads: threads, slices: .max).processors
  }

  /// The held-out metrics of a checkpoint on at most `examples` held-out examples of `data`.
  package func heldOut(data folder: String, examples: Int) throws -> Report {
    let data = try heldOutData(folder)
    let checkpoint = try world.agree {
      let checkpoint = try CheckpointFolder(path)
      try data.expect(checkpoint.tokenizer, of: path)
      try data.expect(length: checkpoint.configuration.recipe.length)
      return checkpoint
    }
    let objective = try world.agree {
      try checkpoint.configuration.objective(model: checkpoint.model, data: data)
    }
    let count = min(examples, data.heldOutCount)
    return try metrics(of: checkpoint, objective, examples: count) { _, sequences in
      try data.heldOut(sequences, of: count)
    }
  }

  /// Opens prepared data with held-out examples, which must be equal on all ranks.
  func heldOutData(_ folder: String) throws -> ShardSet {
    let data = try world.agree {
      let data = try ShardSet(folder: folder)
      guard data.heldOutCount > 0 else {
        throw CorpusError.tooFew(path: folder, split: "held-out")
      }
      return data
    }
    try world.expectEqual([("data", data.description.digest)])
    return data
  }

  /// The held-out metrics of a checkpoint on at most `examples` examples of a text.
  ///
  /// They are those of a folder in which `prepare` held out all of the text. Only rank zero reads
  /// it, by `open`. Throws errors of the text, and `UsageError` for a model whose replacements
  /// depend on its training data.
  package func heldOut(text open: () throws -> TextReader, examples: Int) throws -> Report {
    let checkpoint = try world.agree {
      let checkpoint = try CheckpointFolder(path)
      guard checkpoint.configuration.recipe.task.generator != .unigram else {
        throw UsageError(
          "\(path) samples replacements by the token frequencies of its training data; give --data")
      }
      return checkpoint
    }
    let all = try world.agree { world.rank == 0 ? try read(open(), checkpoint) : [] }
    let text = try TextExamples(all, most: examples, world)
    let objective = checkpoint.configuration.objective(
      model: checkpoint.model, vocabulary: checkpoint.tokenizer.vocabulary)
    return try metrics(of: checkpoint, objective, examples: text.count) { _, sequences in
      text.batch(sequences)
    }
  }

  /// The accuracy of a model on the minimal pairs of a file.
  package func minimalPairs(_ file: String) throws -> Report {
    let pairs = try MinimalPairs.read(file, world)
    try world.expectEqual([("number of pairs", "\(pairs.pairs.count)")])
    var model = try world.agree { try ScoringModel(path) }
    model.objective.arithmetic = try selected(model.objective.arithmetic)
    let encoded = try world.agree {
      try EncodedPairs(pairs, tokenizer: model.tokenizer, longest: model.objective.longest)
    }
    let scorer = PairScorer(model.objective)
    let evaluator = try Evaluator(
      scorer, weights: model.weights, world: world, processors: processors)
    defer { evaluator.end() }
    let accuracy = try encoded.accuracy(evaluator) { StopSignals.isRequested }
    if world.rank == 0 { encoded.warning.map(warn) }
    let position = model.step.map { "step \($0.grouped), " } ?? ""
    return Report(
      text: "\(position)scored by \(scorer.score.rawValue)\n\(accuracy.table)",
      json: try accuracy.json(step: model.step, score: scorer.score))
  }

  /// The arithmetic to use instead of the model's, `usual`; selects its kernel on every rank.
  func selected(_ usual: Arithmetic) throws -> Arithmetic {
    let arithmetic = arithmetic ?? usual
    let warnings = try KernelSelection(arithmetic, world).warnings
    if world.rank == 0 { warnings.forEach(warn) }
    return arithmetic
  }

  private func metrics(
    of checkpoint: CheckpointFolder, _ objective: PretrainingObjective, examples: Int,
    source: @escaping BatchSource
  ) throws -> Report {
    try world.expectEqual([("number of examples", "\(examples)")])
    var objective = objective
    objective.arithmetic = try selected(objective.arithmetic)
    let weights = try world.agree { try checkpoint.weights() }
    let evaluator = try Evaluator(
      objective, weights: weights, world: world, processors: processors)
    defer { evaluator.end() }
    var line = MetricsLine(step: checkpoint.state.step, split: .heldOut)
    line.append(.examples, Double(examples))
    line.append(
      try evaluator.metrics(
        sequences: examples, shouldStop: { StopSignals.isRequested }, source: source))
    return Report("step \(line.step.grouped)", line)
  }

  /// All examples of a text, as `prepare` builds them with its default seed.
  private func read(_ reader: TextReader, _ checkpoint: CheckpointFolder) throws -> [Example] {
    let preparation = Preparation(
      tokenizer: checkpoint.tokenizer, maximumLength: checkpoint.configuration.recipe.length,
      heldOutFraction: 0, invalidText: .stop, seed: 1, threads: processors.count)
    let examples = try preparation.examples(of: reader)
    reader.remarks.sentences.forEach(warn)
    return examples
  }
}
