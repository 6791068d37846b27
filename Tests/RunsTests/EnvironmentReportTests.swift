import Collectives
import Platform
import Runs
import Testing

struct EnvironmentReportTests {
  @Test
  func ranksWithUnequalThreadsAreNamed() {
    var (first, second) = (RankEnvironment(), RankEnvironment())
    (first.host, first.threads, second.host, second.threads) = ("n1", 2, "n2", 1)
    let report = EnvironmentReport(
      [first, second], ringSpeed: 1e8, threadsPerCore: 1, tree: ReductionTree(sliceCount: 4),
      excessTraffic: 1)
    #expect(
      report.summary.contains("2 ranks x 1 to 2 threads on 2 hosts (n1, n2; "), "\(report.summary)")
    #expect(report.warnings.contains { $0.contains("rank 1 on n2") }, "\(report.warnings)")
  }

  @Test
  func aQuietHostHasNoWarning() {
    var environment = RankEnvironment()
    (environment.cores, environment.processors, environment.launcherProcessors) = (1, 1, 1)
    let report = EnvironmentReport(
      [environment], ringSpeed: nil, threadsPerCore: 1, tree: ReductionTree(sliceCount: 1),
      excessTraffic: 1)
    #expect(report.warnings == [])
  }

  private typealias Saving = (ranksOfHosts: [Int], level: Int?, text: String?)
  private static let savings: [Saving] = [
    ([1], 3, "rounds no gradients"), ([1], 2, nil), ([2], 2, nil), ([3], 1, nil), ([2], nil, nil),
    ([4], 2, "would have --exchange-level 1"), ([4], 3, "sums of fewer than 8 slices"),
    ([2, 2], 2, nil), ([2, 2], 3, "would have --exchange-level 2"),
    ([1, 3], 2, "would have --exchange-level 1"),
  ]

  /// A level above the sums that are exchanged saves no bytes, nor does that of the root on one
  /// rank.
  @Test(arguments: savings)
  func anExchangeThatSavesNothingIsNoted(ranksOfHosts: [Int], level: Int?, text: String?) {
    let ranks = ranksOfHosts.enumerated().flatMap { host, count in
      var environment = RankEnvironment()
      environment.host = "n\(host)"
      return Array(repeating: environment, count: count)
    }
    let report = EnvironmentReport(
      ranks, ringSpeed: nil, threadsPerCore: 1,
      tree: ReductionTree(sliceCount: 8, roundingLevel: level), excessTraffic: 1)
    let notes = report.warnings.filter { $0.contains("in float32") }
    #expect(notes.count == (text == nil ? 0 : 1), "\(report.warnings)")
    #expect(notes.allSatisfy { $0.contains(text ?? "") }, "\(notes)")
  }
}
