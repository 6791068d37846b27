import Tensors

/// A stack of encoder layers.
package struct TransformerEncoder: Sendable {
  package let sizes: EncoderSizes
  private let layers: [EncoderLayer]
  /// The range of each layer in the flat vector.
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

  /// The activations of all layers, and their common temporary memory.
  ///
  /// With recomputation (gradient checkpointing, Chen et al. 2016, section 3), each layer keeps
  /// only its output. All layers share the rest, which holds the values of the layer that ran last.
  package struct Activations {
    package let layers: [EncoderLayer.Activations]
    let scratch: EncoderLayer.Scratch
    let areRecomputed: Bool

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ sizes: EncoderSizes, _ shape: BatchShape, arena: Arena) {
      // In float32 values and operands are the same memory, and operands are kept. In bfloat16 one
      // tensor holds the values of all layers.
      let stream =
        shape.arithmetic == .float32 ? nil : arena.tensor(shape.tokens, sizes.hiddenSize)
      let first = EncoderLayer.Activations(sizes, shape, stream: stream, arena: arena)
      layers = (0..<sizes.layerCount).map { index in
        if index == 0 { return first }
        return shape.recomputes
          ? EncoderLayer.Activations(sharing: first, shape, arena: arena)
          : EncoderLayer.Activations(sizes, shape, stream: stream, arena: arena)
      }
      areRecomputed = shape.recomputes
      scratch = EncoderLayer.Scratch(sizes, shape, arena: arena)
    }

    /// The output of layer `index`. (N, D)
    ///
    /// In bfloat16 later layers overwrite its values, unless layers are recomputed; its operand is
    /// kept.
    package func output(_ index: Int) -> HiddenStates { layers[index].outputNorm.output }
  }

  /// Runs all layers on `input` (N, D) and returns the output of the last (N, D).
  ///
  /// Reports each layer's range before reading its weights.
  package func forward(
    _ input: HiddenStates, _ activations: Activations, _ pass: PassContext
  ) -> HiddenStates {
    var hidden = input
    for ((layer, kept), range) in zip(zip(layers, activations.layers), layerRanges) {
      pass.progress?.willRead(range)
      layer.forward(hidden, kept, activations.scratch, pass)
      hidden = kept.outputNorm.output
    }
    return hidden
  }

  /// Adds the parameter gradients and turns `gradient` (N, D) from the last output's into
  /// `input`'s.
  ///
  /// Reports each layer's range when its gradient is final.
  package func backward(
    _ gradient: Tensor, input: HiddenStates, _ activations: Activations, _ pass: PassContext
  ) {
    for index in layers.indices.reversed() {
      let (layer, kept) = (layers[index], activations.layers[index])
      let input = index == 0 ? input : activations.output(index - 1)
      // The shared memory still holds the last layer's activations from the forward pass.
      if activations.areRecomputed && index < layers.count - 1 {
        layer.forward(input, kept, activations.scratch, pass)
      }
      layer.backward(gradient, input: input.operand, kept, activations.scratch, pass)
      pass.progress?.didFinish(layerRanges[index])
    }
  }
}
