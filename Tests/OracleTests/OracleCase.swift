import Electra
import Foundation
import Layers
import Tensors
import Training

/// One fixture in one arithmetic: a model, its inputs and the results of an independent
/// implementation.
///
/// This file alone maps the names of the fixtures to ours.
struct OracleCase: Sendable, CustomStringConvertible {
  let name: String
  let file: SafetensorsFile
  let info: OracleInfo
  let arithmetic: Arithmetic

  var description: String { "\(name), \(arithmetic.rawValue)" }

  /// The folder of fixtures: `ELECTRA_ORACLE`, or the one of the project.
  static var folder: String {
    ProcessInfo.processInfo.environment["ELECTRA_ORACLE"]
      ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures").path
  }

  /// All fixtures; those with rounded factors in both orders of sums.
  static func all() throws -> [OracleCase] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    return try names.filter { $0.hasSuffix(".safetensors") }.flatMap { name in
      let file = try SafetensorsFile(path: folder + "/" + name)
      let info = Data((file.metadata["info"] ?? "").utf8)
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let decoded = try decoder.decode(OracleInfo.self, from: info)
      let arithmetics: [Arithmetic] =
        decoded.config.arithmetic == .bfloat16 ? [.bfloat16, .bfloat16AMX] : [.float32]
      return arithmetics.map {
        OracleCase(name: name, file: file, info: decoded, arithmetic: $0)
      }
    }
  }

  var model: ElectraModel {
    let c = info.config
    func sizes(_ hidden: Int, _ layers: Int, _ heads: Int, _ feedForward: Int) -> EncoderSizes {
      var sizes = EncoderSizes(
        hiddenSize: hidden, layerCount: layers, headCount: heads, intermediateSize: feedForward)
      sizes.epsilon = info.layerNormEps
      return sizes
    }
    return ElectraModel(
      ElectraSizes(
        vocabularySize: c.vocab, embeddingSize: c.emb, positionCount: c.maxPos,
        generator: sizes(c.gHidden, c.gLayers, c.gHeads, c.gFfn),
        discriminator: sizes(c.hidden, c.layers, c.heads, c.ffn)))
  }

  /// Weights, gradients or another vector with the layout of the parameters.
  func vector(_ prefix: String, _ layout: ParameterLayout) throws -> Storage {
    let storage = Storage(count: layout.count)
    for parameter in layout.parameters {
      let values = try file.floats(of: prefix + parameter.name)
      storage[parameter].base.update(from: values, count: parameter.count)
    }
    return storage
  }

  /// The rows of a padded (B, S, width) tensor that belong to tokens, end to end.
  func tokens<Element>(_ values: [Element], batch: Batch, width: Int = 1) -> [Element] {
    batch.lengths.enumerated().flatMap { row, length in
      values[row * info.config.seq * width..<(row * info.config.seq + length) * width]
    }
  }
}

/// The description in a fixture's metadata.
struct OracleInfo: Decodable, Sendable {
  struct Config: Decodable, Sendable {
    let vocab, emb, hidden, layers, heads, ffn: Int
    let gHidden, gLayers, gHeads, gFfn: Int
    let maxPos, batch, seq: Int
    /// float32 or bfloat16; nil for float32.
    let arithmetic: Arithmetic?
  }
  struct Optimizer: Decodable, Sendable {
    let beta1, beta2, eps, weightDecay: Float
    let clipGlobalNorm: Double
    let lr: [Float]
  }
  struct Step: Decodable, Sendable {
    let mlmLoss, rtdLoss, loss, gradNorm: Double
  }
  let config: Config
  let layerNormEps: Float
  let discWeight: Float
  let optimizer: Optimizer
  let steps: [Step]
}

extension SafetensorsFile {
  /// The values of a tensor of 32-bit integers, a type that models do not use.
  fileprivate func int32(of name: String) throws -> [Int32] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    guard let entry = entry(name), entry.type == .int32 else {
      throw SafetensorsError.missingTensor(path: path, name: name)
    }
    return data.dropFirst(8 + Int(length) + entry.bytes.lowerBound).prefix(entry.bytes.count)
      .withUnsafeBytes { bytes in
        (0..<entry.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
      }
  }
}

/// The inputs of one step.
struct OracleStep {
  let batch: Batch
  let masked: Masking.Masked
  let uniform: Storage  // (M, V)
  let sampled: [Int32]  // (M)
  let corrupted: [Int32]  // (N)

  init(_ oracle: OracleCase, step: Int) throws {
    let (config, file, prefix) = (oracle.info.config, oracle.file, "step\(step).")
    func rows(_ name: String) throws -> [Int32] { try file.int32(of: prefix + name) }
    let mask = try rows("attention_mask")
    var batch = Batch()
    batch.lengths = (0..<config.batch).map { row in
      mask[row * config.seq..<(row + 1) * config.seq].count { $0 == 1 }
    }
    batch.tokens = oracle.tokens(try rows("input_ids"), batch: batch)
    batch.segmentIDs = oracle.tokens(try rows("token_type_ids"), batch: batch).map { UInt8($0) }
    var masked = Masking.Masked(
      tokens: oracle.tokens(try rows("generator_input_ids"), batch: batch))
    for (row, index) in zip(try rows("masked_sequence"), try rows("masked_position")) {
      let position = batch.ranges[Int(row)].lowerBound + Int(index)
      masked.positions.append(Int32(position))
      masked.targets.append(batch.tokens[position])
    }
    let values = try file.floats(of: prefix + "uniform")
    uniform = Storage(count: values.count)
    uniform.base.update(from: values, count: values.count)
    sampled = try rows("sampled_ids")
    corrupted = oracle.tokens(try rows("discriminator_input_ids"), batch: batch)
    self.batch = batch
    self.masked = masked
  }
}
