import Collectives
import Platform
import Tensors

/// The kernel of bfloat16 products that each rank uses.
///
///     let selection = try KernelSelection(configuration.arithmetic, world)
///     selection.warnings.forEach(log.write)
///
/// A rank uses the fastest kernel that its processor has and that passes the self-test. Ranks may
/// use different kernels, because all kernels give the same bits.
package struct KernelSelection {
  /// Arithmetic and kernels, as a line for the log; nil for float32.
  package let summary: String?
  /// A sentence for each kernel of each host that failed the self-test.
  package let warnings: [String]

  /// The kernel of one rank.
  package struct Rank: Codable {
    let host: String
    let kernel: ProductKernel
    /// The kernels that failed the self-test.
    let failed: [ProductKernel]

    package init(host: String, kernel: ProductKernel, failed: [ProductKernel]) {
      (self.host, self.kernel, self.failed) = (host, kernel, failed)
    }
  }

  /// Selects the kernel of this rank; does nothing in float32.
  ///
  /// Every rank must call it, before its first product. Throws `ranksDisagree` if ranks have
  /// another arithmetic.
  package init(_ arithmetic: Arithmetic, _ world: Communicator) throws {
    try world.expectEqual([("--arithmetic", arithmetic.rawValue)])
    guard let order = arithmetic.sumOrder else {
      self.init(arithmetic, [])
      return
    }
    let rank = Rank(
      host: hostName(), kernel: .current(order), failed: ProductKernel.failed(order))
    self.init(arithmetic, try world.gather(json: rank))
  }

  /// Describes the kernels of all ranks of a run that rounds factors; of no ranks in float32.
  package init(_ arithmetic: Arithmetic, _ ranks: [Rank]) {
    let used = ProductKernel.allCases.filter { kernel in ranks.contains { $0.kernel == kernel } }
    let kernels = used.map { kernel in
      let hosts = Self.hosts(ranks.filter { $0.kernel == kernel })
      return kernel.summary + (used.count > 1 ? " on \(EnvironmentReport.list(hosts))" : "")
    }
    summary =
      ranks.isEmpty
      ? nil : "arithmetic: \(arithmetic.rawValue), \(kernels.joined(separator: "; "))"
    warnings = Self.hosts(ranks).flatMap { host in
      Self.warnings(ranks.filter { $0.host == host })
    }
  }

  /// A sentence for each kernel that failed on one host, of which these are the ranks.
  private static func warnings(_ ranks: [Rank]) -> [String] {
    ProductKernel.allCases.compactMap { kernel in
      guard let rank = ranks.first(where: { $0.failed.contains(kernel) }) else { return nil }
      let used = rank.kernel.rawValue
      return "warning: the \(kernel.rawValue) kernel of host \(rank.host) gives other bits than "
        + "\(used); using \(used)"
    }
  }

  /// The distinct hosts of some ranks, in order of rank.
  private static func hosts(_ ranks: [Rank]) -> [String] {
    ranks.reduce(into: []) { if !$0.contains($1.host) { $0.append($1.host) } }
  }
}

extension ProductKernel: Codable {
  /// The kernel and what is known about its speed, for the log.
  fileprivate var summary: String {
    switch self {
    case .scalar: "scalar kernel (slow)"
    case .avx2, .avx512: "\(rawValue) kernel (no faster than float32)"
    case .avx512BF16, .amx: "\(rawValue) kernel"
    }
  }
}
