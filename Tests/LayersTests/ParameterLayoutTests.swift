import Foundation
import Layers
import Tensors
import Testing

struct ParameterLayoutTests {
  private func layout() -> (ParameterLayout, [Parameter]) {
    var layout = ParameterLayout()
    let table = layout.declare(
      "table.weight", [5, 1000], .truncatedNormal(standardDeviation: 0.02))
    let group = layout.declare(group: ["q.weight", "k.weight"], [3, 3], .constant(1))
    let bias = layout.declare("q.bias", [3], .zeros)
    return (layout, [table] + group + [bias])
  }

  @Test
  func groupsBeginOnCacheLinesAndLieEndToEnd() {
    let (layout, parameters) = layout()
    #expect(parameters.map(\.offset) == [0, 5008, 5017, 5040])
    #expect(layout.count == 5056)
    #expect(layout.parameterCount == 5021)
  }

  @Test
  func blocksRestartAtEachTensorAndTileTheVector() {
    let (layout, _) = layout()
    #expect(layout.blockBoundaries == [0, 4096, 5008, 5017, 5040, 5056])
  }

  @Test
  func biasesAndNormalisationsDoNotDecay() {
    var layout = ParameterLayout()
    #expect(layout.declare("a.LayerNorm.weight", [2], .constant(1)).decays == false)
    #expect(layout.declare("a.dense.bias", [2], .zeros).decays == false)
    #expect(layout.declare("embeddings.word_embeddings.weight", [2, 2], .zeros).decays)
  }

  @Test
  func firstValuesDependOnSeedAndNameOnly() {
    let (layout, parameters) = layout()
    var other = ParameterLayout()
    _ = other.declare("something.else", [77], .constant(1))
    let moved = other.declare("table.weight", [5, 1000], .truncatedNormal(standardDeviation: 0.02))
    let weights = Storage(count: layout.count)
    let others = Storage(count: other.count)
    layout.initialize(weights, seed: 5)
    other.initialize(others, seed: 5)
    let table = UnsafeBufferPointer(start: weights[parameters[0]].base, count: 5000)
    #expect(table.elementsEqual(UnsafeBufferPointer(start: others[moved].base, count: 5000)))
    #expect(table.allSatisfy { abs($0) <= 0.04 })
    // A normal distribution truncated at two standard deviations has 0.8796 of the original's.
    let standardDeviation = (sumOfSquares(weights[parameters[0]].base, count: 5000) / 5000)
      .squareRoot()
    #expect(abs(standardDeviation - 0.8796 * 0.02) < 0.0005)
    layout.initialize(others, seed: 6)
    #expect(!table.elementsEqual(UnsafeBufferPointer(start: others.base, count: 5000)))
  }

  @Test
  func sinusoidsAreThoseOfThePaper() {
    var layout = ParameterLayout()
    let table = layout.declare("positions", [40, 6], .sinusoids(standardDeviation: 0.5))
    let weights = Storage(count: layout.count)
    layout.initialize(weights, seed: 1)
    for p in 0..<40 {
      for i in 0..<3 {
        let angle = Double(p) / pow(10_000, Double(2 * i) / 6)
        let scale = 0.5 * 2.0.squareRoot()
        #expect(abs(Double(weights[table][p, 2 * i]) - scale * sin(angle)) < 1e-6)
        #expect(abs(Double(weights[table][p, 2 * i + 1]) - scale * cos(angle)) < 1e-6)
      }
    }
  }
}
