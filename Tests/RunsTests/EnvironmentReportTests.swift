import Platform
import Runs
import Testing

struct EnvironmentReportTests {
  @Test
  func ranksWithUnequalThreadsAreNamed() {
    var (first, second) = (RankEnvironment(), RankEnvironment())
    (first.host, first.threads, second.host, second.threads) = ("n1", 2, "n2", 1)
    let report = EnvironmentReport(
      [first, second], ringSpeed: 1e8, threadsPerCore: 1, slices: 4, excessTraffic: 1)
    #expect(
      report.summary.contains("2 ranks x 1 to 2 threads on 2 hosts (n1, n2; "), "\(report.summary)")
    #expect(report.warnings.contains { $0.contains("rank 1 on n2") }, "\(report.warnings)")
  }

  @Test
  func aQuietHostHasNoWarning() {
    var environment = RankEnvironment()
    (environment.cores, environment.processors, environment.launcherProcessors) = (1, 1, 1)
    let report = EnvironmentReport(
      [environment], ringSpeed: nil, threadsPerCore: 1, slices: 1, excessTraffic: 1)
    #expect(report.warnings == [])
  }
}
