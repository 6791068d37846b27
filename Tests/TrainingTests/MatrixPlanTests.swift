import Collectives
import Electra
import Layers
import Testing
import Training

/// The ranks that orthogonalise the matrices of a model.
struct MatrixPlanTests {
  private func model(_ preset: Preset) -> ElectraModel {
    preset.configuration(vocabularySize: 30_522).makeModel()
  }

  /// Queries, keys, values, attention's output and two feed-forward matrices of each layer.
  @Test
  func theMatricesAreThoseOfEncoderLayers() {
    let matrices = model(.tiny).layout.hiddenMatrices
    #expect(matrices.count == 6 * (3 + 1))
    #expect(matrices.allSatisfy { $0.name.hasSuffix(".weight") && $0.decays })
    let networks = Set(matrices.map { $0.name.split(separator: ".")[0] })
    #expect(networks == ["generator", "discriminator"])
  }

  @Test(arguments: [Preset.small, .base])
  func ranksHaveAboutTheSameWork(preset: Preset) {
    let model = model(preset)
    let partition = Partition(model.layout, regions: model.gradientOrder, rankCount: 8)
    let plan = MatrixPlan(model.layout.hiddenMatrices, partition)
    let work = (0..<8).map { plan.matrices(of: $0).reduce(0) { $0 + $1.orthogonalization } }
    #expect((work.max() ?? 0) < 1.05 * work.reduce(0, +) / 8, "\(work)")
  }

  /// What a rank sends is what the other receives, and a rank then has its matrices as a whole.
  @Test(arguments: [(1, 1), (3, 1), (4, 2), (40, 1)])
  func segmentsMakeWholeMatrices(ranks: Int, perHost: Int) {
    let model = model(.tiny)
    let partition = Partition(
      model.layout, regions: model.gradientOrder, rankCount: ranks, ranksPerHost: perHost)
    let matrices = model.layout.hiddenMatrices
    let plan = MatrixPlan(matrices, partition)
    let segments = (0..<ranks).map { plan.segments(of: $0) }
    for (from, to) in (0..<ranks).flatMap({ a in (0..<ranks).map { (a, $0) } }) {
      #expect(segments[from].outgoing[to] == segments[to].incoming[from])
    }
    for rank in 0..<ranks {
      #expect(segments[rank].outgoing[rank].isEmpty)
      let parts = partition.buckets.indices.map { partition.part($0, of: rank) }
      for matrix in plan.matrices(of: rank) {
        let pieces = (parts + segments[rank].incoming.joined())
          .map { $0.clamped(to: matrix.range) }.filter { !$0.isEmpty }
          .sorted { $0.lowerBound < $1.lowerBound }
        #expect(pieces.first?.lowerBound == matrix.offset)
        #expect(pieces.last?.upperBound == matrix.range.upperBound)
        #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      }
    }
    let all = (0..<ranks).flatMap { plan.matrices(of: $0).map(\.name) }
    #expect(all.sorted() == matrices.map(\.name).sorted())
  }
}
