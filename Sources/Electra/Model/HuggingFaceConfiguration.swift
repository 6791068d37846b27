import Layers

/// The `config.json` of a Hugging Face ELECTRA or BERT folder.
///
/// It is written for our models and read for foreign ones. BERT's has no `embedding_size`.
package struct HuggingFaceConfiguration: Sendable, Equatable {
  package var sizes: NetworkSizes
  /// The transformers class that loads the model; nil for none.
  package var architecture: String?
  /// The activation of the feed-forward layers; only `gelu` is supported.
  package var activation = "gelu"
  /// The type of position embeddings; only `absolute` is supported.
  package var positions = "absolute"
  /// The id of [PAD].
  package var paddingID: Int32
  /// The type of model: `electra` or `bert`; empty in old folders, which do not name it.
  package var modelType = "electra"
  /// The PyTorch type of the weights, which is written and not read; nil for none.
  package var weightType: String?
  /// Whether attention is causal; not supported.
  package var isDecoder = false

  /// A configuration to write, with the transformers class that loads the model (nil for none).
  package init(_ sizes: NetworkSizes, architecture: String?, paddingID: Int32) {
    self.sizes = sizes
    self.architecture = architecture
    self.paddingID = paddingID
  }

  /// Why this model is not supported, as a clause; nil if it is.
  package var problem: String? {
    if !["electra", "bert", ""].contains(modelType) {
      return "model_type is \(modelType), and only electra and bert are supported"
    }
    if isDecoder { return "is_decoder is true, and only encoders are supported" }
    if activation != "gelu" { return "hidden_act is \(activation), and only gelu is supported" }
    if positions != "absolute" {
      return "position_embedding_type is \(positions), and only absolute is supported"
    }
    return sizes.problem
  }
}

extension HuggingFaceConfiguration: Codable {
  private enum Key: String, CodingKey {
    case architectures
    case modelType = "model_type"
    case isDecoder = "is_decoder"
    case vocabularySize = "vocab_size"
    case embeddingSize = "embedding_size"
    case positionCount = "max_position_embeddings"
    case typeCount = "type_vocab_size"
    case hiddenSize = "hidden_size"
    case layerCount = "num_hidden_layers"
    case headCount = "num_attention_heads"
    case intermediateSize = "intermediate_size"
    case dropoutRate = "hidden_dropout_prob"
    case attentionDropoutRate = "attention_probs_dropout_prob"
    case epsilon = "layer_norm_eps"
    case standardDeviation = "initializer_range"
    case activation = "hidden_act"
    case positions = "position_embedding_type"
    case paddingID = "pad_token_id"
    case weightType = "torch_dtype"
  }

  /// Reads a configuration; missing keys have the defaults of transformers.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func optional<Value: Decodable>(_ key: Key, _ otherwise: Value) throws -> Value {
      try values.decodeIfPresent(Value.self, forKey: key) ?? otherwise
    }
    let hiddenSize = try values.decode(Int.self, forKey: .hiddenSize)
    var encoder = EncoderSizes(
      hiddenSize: hiddenSize, layerCount: try values.decode(Int.self, forKey: .layerCount),
      headCount: try values.decode(Int.self, forKey: .headCount),
      intermediateSize: try values.decode(Int.self, forKey: .intermediateSize),
      dropoutRate: try optional(.dropoutRate, 0.1),
      attentionDropoutRate: try optional(.attentionDropoutRate, 0.1))
    encoder.epsilon = try optional(.epsilon, encoder.epsilon)
    encoder.standardDeviation = try optional(.standardDeviation, encoder.standardDeviation)
    modelType = try optional(.modelType, "")
    isDecoder = try optional(.isDecoder, false)
    sizes = NetworkSizes(
      vocabularySize: try values.decode(Int.self, forKey: .vocabularySize),
      embeddingSize: try optional(.embeddingSize, modelType == "electra" ? 128 : hiddenSize),
      positionCount: try optional(.positionCount, 512), typeCount: try optional(.typeCount, 2),
      encoder: encoder)
    architecture = try optional(.architectures, [String]()).first
    activation = try optional(.activation, "gelu")
    positions = try optional(.positions, "absolute")
    paddingID = try optional(.paddingID, 0)
  }

  package func encode(to encoder: any Encoder) throws {
    try sizes.encoder.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode([architecture].compactMap(\.self), forKey: .architectures)
    try values.encode("electra", forKey: .modelType)
    try values.encode(sizes.vocabularySize, forKey: .vocabularySize)
    try values.encode(sizes.embeddingSize, forKey: .embeddingSize)
    try values.encode(sizes.positionCount, forKey: .positionCount)
    try values.encode(sizes.typeCount, forKey: .typeCount)
    try values.encode(activation, forKey: .activation)
    try values.encode(positions, forKey: .positions)
    try values.encode(paddingID, forKey: .paddingID)
    try values.encodeIfPresent(weightType, forKey: .weightType)
  }
}
