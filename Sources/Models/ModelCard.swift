import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// The model card (`README.md`) of an exported model: how to load it, its sizes, training and
/// scores.
package struct ModelCard {
  private let checkpoint: CheckpointFolder
  private let part: ModelPart
  private let architecture: String

  /// Describes one network of a checkpoint, which the class `architecture` of transformers loads.
  package init(_ checkpoint: CheckpointFolder, _ part: ModelPart, _ architecture: String) {
    self.checkpoint = checkpoint
    self.part = part
    self.architecture = architecture
  }

  /// The card in Markdown.
  package var text: String {
    let sizes = checkpoint.model.sizes[part]
    let encoder = sizes.encoder
    let recipe = checkpoint.configuration.recipe
    let parameters = checkpoint.model.layout.parameters
      .filter { recipe.task.huggingFaceName($0.name, of: part) != nil }.reduce(0) { $0 + $1.count }
    let normalization = checkpoint.tokenizer.normalization
    return """
      ---
      library_name: transformers
      tags:
      - electra
      ---
      # \(title)

      ```python
      from transformers import AutoTokenizer, \(architecture)

      tokenizer = AutoTokenizer.from_pretrained(".")
      model = \(architecture).from_pretrained(".")
      ```

      | size | |
      |---|---|
      | parameters | \(parameters.grouped) |
      | layers, width, heads, feed-forward | \(encoder.layerCount), \(encoder.hiddenSize), \
      \(encoder.headCount), \(encoder.intermediateSize) |
      | embedding | \(sizes.embeddingSize) |
      | vocabulary | \(sizes.vocabularySize.grouped) tokens, \
      \(normalization.lowercase ? "lower case" : "cased"), \
      accents \(normalization.stripAccents ? "stripped" : "kept") |

      | training | |
      |---|---|
      | steps | \(checkpoint.state.step.grouped) of \(checkpoint.configuration.steps.grouped) |
      | batch | \(recipe.batchSize) sequences of at most \(recipe.length) tokens |
      | tokens seen | \(checkpoint.state.tokens.grouped) |
      | learning rate | \(learningRate) |
      | masked | \(recipe.maskFraction * 100) % of the tokens |
      | loss | \(loss) |
      | seed | \(recipe.seed) |
      | arithmetic | \(arithmetic) |
      \(heldOut)
      """
  }

  /// The heading and the sentence below it.
  private var title: String {
    let objective = checkpoint.configuration.recipe.task.objective
    if objective == .mlm {
      return """
        Masked language model

        An encoder with ELECTRA's architecture, pre-trained like BERT by masked language modelling.
        """
    }
    let network =
      objective == .electra || part == .generator ? part.rawValue : "encoder"
    let paper = objective.masksAndReplaces ? "" : " (Clark, Luong, Le and Manning 2020)"
    return """
      ELECTRA \(network)

      The \(network) of an ELECTRA model pre-trained by \(method(objective))\(paper).
      """
  }

  /// The training method, in words.
  private func method(_ objective: PretrainingTask.Objective) -> String {
    switch objective {
    case .electra: "replaced token detection"
    case .electra15: "replaced token detection at masked positions"
    case .replaceMLM: "Replace MLM"
    case .allTokensMLM: "All-Tokens MLM"
    case .mlm: "masked language modelling: 80 % [MASK], 10 % random, 10 % unchanged"
    case .mlmRTD: "masked language modelling and replaced token detection in one pass"
    }
  }

  /// The peak learning rate of the last phase and its schedule, in words.
  private var learningRate: String {
    let recipe = checkpoint.configuration.recipe
    let muon = recipe.muonFactor.map { " (Muon: \($0) times that)" } ?? ""
    return "\(recipe.learningRate)\(muon), \(recipe.warmupSteps.grouped) steps of warm-up, "
      + "linear decay"
  }

  /// The formula of the loss, in words.
  private var loss: String {
    let recipe = checkpoint.configuration.recipe
    let method = method(recipe.task.objective)
    return switch recipe.task.objective {
    case .mlm: method
    case .mlmRTD:
      "masked language modelling + \(recipe.discriminatorWeight) x replaced token detection"
    // A unigram or uniform generator has no loss.
    default:
      (recipe.task.hasGenerator ? "masked language modelling + " : "")
        + "\(recipe.discriminatorWeight) x \(method)"
    }
  }

  /// The arithmetic of training, in words; it does not determine the type of the exported weights.
  private var arithmetic: String {
    switch checkpoint.configuration.arithmetic {
    case .float32: "float32"
    case .bfloat16, .bfloat16AMX:
      "\(checkpoint.configuration.arithmetic.rawValue): matrix products of bfloat16 factors with "
        + "float32 sums; all else float32"
    }
  }

  /// A table of the last held-out evaluation up to this checkpoint; empty where there is none.
  private var heldOut: String {
    let lines = RunMetrics(runFolder: checkpoint.runPath).lines(.heldOut)
    guard let last = lines.last(where: { $0.step <= checkpoint.state.step }) else { return "" }
    let table = last.values.filter { $0.name != MetricName.examples.rawValue }
      .sorted { $0.name < $1.name }
      .map { "| \(MetricName.words($0.name)) | \(String(format: "%.4f", $0.number)) |" }
    return """

      | on held-out documents, after step \(last.step.grouped) | |
      |---|---|
      \(table.joined(separator: "\n"))

      """
  }
}
