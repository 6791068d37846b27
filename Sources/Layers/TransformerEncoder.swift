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
  ///
  /// Where they are computed anew, every layer has only its output to itself; the rest holds what the
  /// layer that ran last has left (Chen et al. 2016, section 3).
  package struct Activations {
    package let layers: [EncoderLayer.Activations]
    let scratch: EncoderLayer.Scratch
    let areShared: Bool

    package init(_ sizes: EncoderSizes, _ shape: BatchShape, arena: Arena) {
      let first = EncoderLayer.Activations(sizes, shape, arena: arena)
      layers = (0..<sizes.layerCount).map { index in
        if index == 0 { return first }
        return shape.recomputes
          ? EncoderLayer.Activations(sharing: first, arena: arena)
          : EncoderLayer.Activations(sizes, shape, arena: arena)
      }
      areShared = shape.recomputes
      scratch = EncoderLayer.Scratch(sizes, shape, arena: arena)
    }

    /// What layer `index` makes. (N, D)
    package func output(_ index: Int) -> Tensor { layers[index].outputNorm.output }
  }

  /// Runs all layers on `input` (N, D) and returns the last one's output (N, D).
  package func forward(_ input: Tensor, _ activations: Activations, _ pass: PassContext) -> Tensor {
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
    _ gradient: Tensor, input: Tensor, _ activations: Activations, _ pass: PassContext
  ) {
    for index in layers.indices.reversed() {
      let (layer, own) = (layers[index], activations.layers[index])
      let input = index == 0 ? input : activations.output(index - 1)
      // The last layer's are still there.
      if activations.areShared && index < layers.count - 1 {
        layer.forward(input, own, activations.scratch, pass)
      }
      layer.backward(gradient, input: input, own, activations.scratch, pass)
      pass.progress?.finished(layerRanges[index])
    }
  }
}
