import Layers
import Tensors
import Testing

/// Matrices of the flat vector as factors of products.
struct WeightsTests {
  /// Weights with one matrix (16, 8), all of whose elements are `value`.
  private struct Model {
    let matrix: Parameter
    let weights: Weights

    init(_ arithmetic: Arithmetic, value: Float) {
      var layout = ParameterLayout()
      matrix = layout.declare("matrix", [16, 8], .zeros)
      weights = Weights(Storage(count: layout.count), arithmetic: arithmetic)
      weights[matrix].fill(value)
    }

    /// An element of the product of a row of eight ones with the transpose of the matrix.
    func product(_ arithmetic: Arithmetic) -> Float {
      let (ones, output) = (Storage(count: 8), Storage(count: 16))
      defer { withExtendedLifetime((ones, output)) {} }
      ones[0..<8].fill(1)
      let left = ones[0..<8].rounded(for: arithmetic)
      output[0..<16].multiply(left.plain, weights.transposed(of: matrix, for: left))
      return output.base[15]
    }
  }

  @Test(arguments: Arithmetic.allCases)
  func productsFollowAChangeThatIsMarked(arithmetic: Arithmetic) {
    let model = Model(arithmetic, value: 1)
    #expect(model.product(arithmetic) == 8)
    model.weights[model.matrix].fill(2)
    model.weights.markChanged()
    #expect(model.product(arithmetic) == 16)
  }

  /// The heads of fine-tuning have float32 products in every run.
  @Test
  func floatsAreMultipliedByWeightsThatAreNotRounded() {
    let model = Model(.bfloat16, value: 1 + 0x1p-12)
    #expect(model.product(.bfloat16) == 8)
    #expect(model.product(.float32) == 8 + 0x1p-9)
  }

  /// Workers meet at a matrix that none has packed yet.
  @Test
  func threadsWaitForAMatrixThatIsBeingPacked() async {
    let model = Model(.bfloat16, value: 0)
    for round in 1...100 {
      model.weights[model.matrix].fill(Float(round))
      model.weights.markChanged()
      let products: [Float] = await withTaskGroup(of: Float.self) { group in
        for _ in 0..<4 { group.addTask { model.product(.bfloat16) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(products == Array(repeating: Float(8 * round), count: 4))
    }
  }

  @Test
  func tablesWithABaseFollowBothOfTheirTerms() {
    var layout = ParameterLayout()
    var sizes = Embeddings.Sizes(vocabularySize: 6, positionCount: 5, typeCount: 2, size: 8)
    func embeddings(_ name: String) -> Embeddings {
      Embeddings(
        name, sizes, epsilon: 1e-12, standardDeviation: 0.02, positions: .zeros, in: &layout)
    }
    let base = embeddings("base")
    sizes.areDifferences = true
    var sums = embeddings("difference")
    sums.setBase(base)
    let weights = Weights(Storage(count: layout.count))
    for (first, second) in [(1, 2), (4, 2), (4, 7)] as [(Float, Float)] {
      for (index, (table, other)) in zip(sums.tables, base.tables).enumerated() {
        weights[table.parameter].fill(first + Float(index))
        weights[other.parameter].fill(second)
      }
      weights.markChanged()
      for (index, table) in sums.tables.enumerated() {
        let sum = weights[table]
        #expect(sum.rows == table.parameter.rows && sum.columns == 8)
        #expect((0..<sum.count).allSatisfy { sum.base[$0] == first + Float(index) + second })
        #expect(weights[table.parameter].base[0] == first + Float(index))
      }
    }
  }
}
