import Tensors

extension Weights {
  /// The bytes of the packed matrices of a model: none in float32.
  ///
  /// In bfloat16 every matrix of a product is packed in both orientations, which takes 4 bytes a
  /// weight. Tables that are only looked up, and layers with one output, are not packed.
  package static func packedBytes(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> Int {
    // TODO(lead): count what `Weights` packs.
    guard arithmetic == .bfloat16 else { return 0 }
    let lookedUp = ["position_embeddings", "token_type_embeddings"]
    return layout.parameters.reduce(0) { sum, parameter in
      let isPacked =
        parameter.rows > 1 && !lookedUp.contains { parameter.name.contains($0) }
      return isPacked ? sum + 4 * parameter.count : sum
    }
  }
}
