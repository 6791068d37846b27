import Tensors

/// All parameters of a model in one flat vector, in declaration order.
///
/// Weights, gradients and moments are all vectors of this layout, so a bucket of the all-reduce is
/// a range, and the optimizer is one pass. Groups begin on 64-byte boundaries; the floats
/// between groups are zero for ever.
///
///     var layout = ParameterLayout()
///     let weight = layout.declare("dense.weight", [256, 128], .truncatedNormal(deviation: 0.02))
///     let weights = Storage(count: layout.count)
///     weights[weight]                                                       // (256, 128)
package struct ParameterLayout: Sendable, Equatable {
  /// Every parameter, by rising offset.
  package private(set) var parameters: [Parameter] = []
  /// The length of the flat vector.
  package private(set) var count = 0

  /// Floats a block: the unit of norms, of checks and of ownership among ranks. The grid of blocks
  /// restarts at each tensor.
  package static let blockSize = 4096
  private static let alignment = 16

  package init() {}

  /// Adds a tensor.
  package mutating func declare(
    _ name: String, _ shape: [Int], _ initialization: Initialization
  ) -> Parameter {
    declare(group: [name], shape, initialization)[0]
  }

  /// Adds tensors of one shape that lie end to end, so that they can be seen as one.
  package mutating func declare(
    group names: [String], _ shape: [Int], _ initialization: Initialization
  ) -> [Parameter] {
    let declared = names.map { name in
      let parameter = Parameter(
        name: name, shape: shape, offset: count, initialization: initialization)
      count += parameter.count
      return parameter
    }
    parameters += declared
    count = (count + Self.alignment - 1) / Self.alignment * Self.alignment
    return declared
  }

  /// The parameter called `name`.
  package subscript(name: String) -> Parameter? { parameters.first { $0.name == name } }

  /// The number of trained floats, without the gaps between tensors.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Where each block begins, and `count` at the end: consecutive entries bound a block. A
  /// tensor's last block includes the gap behind it, so blocks tile the vector.
  package var blockBoundaries: [Int] {
    parameters.flatMap { stride(from: $0.offset, to: $0.offset + $0.count, by: Self.blockSize) }
      + [count]
  }
}
