/// A table of embeddings: a parameter, or the sum of a parameter and a base.
///
///     E_D = stop_gradient(E_G) + E_delta
///
/// The sum is gradient-disentangled embedding sharing (DeBERTaV3, He et al. 2021, section 3.3): the
/// base E_G belongs to another network, and what reads the table trains E_delta alone. The sum is
/// made in float32 (`Weights`), so that bfloat16 rounds it once.
package struct EmbeddingTable: Sendable {
  /// The parameter that is trained through this table. (rows, E)
  package let parameter: Parameter
  /// The table of the other network, of the same shape; nil for none.
  package internal(set) var base: Parameter?

  init(_ parameter: Parameter) { self.parameter = parameter }

  /// The end of the names of parameters that are added to a base.
  static let differenceSuffix = ".delta"

  /// The usual name of the table whose parameter is called `name`.
  package static func nameOfSum(_ name: String) -> String {
    name.hasSuffix(differenceSuffix) ? name.dropLast(differenceSuffix.count) + ".weight" : name
  }
}

extension Parameter {
  /// Whether it is added to the table of another network.
  package var isDifference: Bool { name.hasSuffix(EmbeddingTable.differenceSuffix) }

  /// The usual name of the table, where it is added to a base; otherwise the name itself.
  package var nameOfSum: String { EmbeddingTable.nameOfSum(name) }
}
