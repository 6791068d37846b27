import Tensors

/// A stack of encoder layers.
package struct TransformerEncoder: Sendable {
  package let sizes: EncoderSizes
  private let layers: [EncoderLayer]
  /// Where each layer lies in the flat vector.
  package let layerRanges: [Range<Int>]

  /// Declares `name.layer.0`, `name.layer.1` and so on.
  package init(_ name: String, _ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    self.sizes = sizes
    var ranges: [Range<Int>] = []
    layers = (0..<sizes.layerCount).map {
      let start = layout.count
      let layer = EncoderLayer("\(name).layer.\($0)", sizes, in: &layout)
      ranges.append(start..<layout.count)
      return layer
    }
    layerRanges = ranges
  }

  /// The activations of all layers, and the memory that they share.
  package struct Activations {
    package let layers: [EncoderLayer.Activations]
    let scratch: EncoderLayer.Scratch

    package init(_ sizes: EncoderSizes, _ shape: BatchShape, arena: Arena) {
      layers = (0..<sizes.layerCount).map { _ in
        EncoderLayer.Activations(sizes, shape, arena: arena)
      }
      scratch = EncoderLayer.Scratch(sizes, shape, arena: arena)
    }

    /// What layer `index` makes. (N, D)
    package func output(_ index: Int) -> Tensor { layers[index].outputNorm.output }
  }

  /// Runs all layers on `input` (N, D) and returns the last one's output (N, D).
  package func forward(_ input: Tensor, _ activations: Activations, _ pass: Pass) -> Tensor {
    var hidden = input
    for ((layer, own), range) in zip(zip(layers, activations.layers), layerRanges) {
      pass.progress?.needs(range)
      layer.forward(hidden, own, activations.scratch, pass)
      hidden = own.outputNorm.output
    }
    return hidden
  }

  /// Replaces `gradient` (N, D), that of the last output, by that of `input`.
  package func backward(
    _ gradient: Tensor, input: Tensor, _ activations: Activations, _ pass: Pass
  ) {
    for index in layers.indices.reversed() {
      layers[index].backward(
        gradient, input: index == 0 ? input : activations.output(index - 1),
        activations.layers[index], activations.scratch, pass)
      pass.progress?.finished(layerRanges[index])
    }
  }
}
