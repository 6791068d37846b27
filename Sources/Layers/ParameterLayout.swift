import Tensors

/// All parameters of a model in one flat vector, in declaration order.
///
/// Weights, gradients and moments are all vectors of this layout, so a bucket of the all-reduce is
/// a range, and the optimizer makes one sweep. Each group begins on a 64-byte boundary; the floats
/// between groups are padding and stay zero.
///
///     var layout = ParameterLayout()
///     let weight = layout.declare("LayerNorm.weight", [128], .constant(1))
///     let weights = Storage(count: layout.count)
///     weights[weight]                                   // (1, 128)
package struct ParameterLayout: Sendable, Equatable {
  /// All parameters, by ascending offset.
  package private(set) var parameters: [Parameter] = []
  /// The length of the flat vector, padding included.
  package private(set) var count = 0

  /// The number of floats in a block: the unit of norms, checks and partitioning among ranks.
  ///
  /// The grid of blocks restarts at each tensor, so that a tensor's norm does not depend on where
  /// it lies in the vector.
  package static let blockSize = 4096
  private static let alignment = 16  // floats: one cache line

  package init() {}

  /// Adds a tensor at the end.
  package mutating func declare(
    _ name: String, _ shape: [Int], _ initialization: Initialization
  ) -> Parameter {
    declare(group: [name], shape, initialization)[0]
  }

  /// Adds tensors of equal shape end to end, without padding, so that they can be used as one.
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

  /// The parameter with this name; nil if there is none.
  package subscript(name: String) -> Parameter? { parameters.first { $0.name == name } }

  /// The number of trained floats, without padding.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The first index of each block, then `count`: consecutive entries bound a block.
  ///
  /// The last block of a tensor includes the padding after it, so that blocks cover the vector.
  package var blockBoundaries: [Int] {
    parameters.flatMap { stride(from: $0.offset, to: $0.offset + $0.count, by: Self.blockSize) }
      + [count]
  }
}
