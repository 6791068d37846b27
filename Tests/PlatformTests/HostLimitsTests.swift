import Foundation
import Platform
import Testing

/// Limits and launcher of this host, each tested in a separate process, and its network interfaces.
struct HostLimitsTests {
  @Test
  func memoryIsNotMoreThanTheAddressSpaceLeaves() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let before = HostResources.number(after: "VmSize:", in: "/proc/self/status") ?? 0
      let size = UInt(before) * 1024 + 1 << 28
      var limit = rlimit(rlim_cur: size, rlim_max: size)
      guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { exit(2) }
      let free = HostResources.freeMemory ?? .max
      exit(free <= 1 << 28 && free > 1 << 26 ? 0 : 1)
    }
  }

  /// The processors of the launcher are those that the parent process may use.
  @Test
  func theLaunchersProcessorsAreCountedWhereThereIsOne() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] { unsetenv(name) }
      guard HostResources.processorsOfLauncher == nil else { exit(1) }
      setenv("PMI_SIZE", "2", 1)
      exit(HostResources.processorsOfLauncher == allowedProcessors().count ? 0 : 2)
    }
  }

  @Test
  func aThreadThatIsRefusedEndsTheProgramWithASentence() async {
    let result = await #expect(
      processExitsWith: .exitCode(ResourceShortage.status), observing: [\.standardErrorContent]
    ) { ResourceShortage.endWithoutThread(error: EAGAIN) }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(
      text.hasPrefix("electra: no thread can be started on \(hostName()): Resource temporarily"),
      "\(text)")
    #expect(text.split(separator: "\n").count == 1)
  }

  /// A connection of this process to itself by an interface's address counts; loopback does not.
  @Test
  func interfacesInUseAreThoseOfConnections() throws {
    let interface = try #require(Self.addresses.first { $0.name == "lo" })
    let loop = try connect(to: interface.address)
    #expect(!NetworkInterfaces.inUse.contains("lo"))
    for end in loop { close(end) }
    guard let other = Self.addresses.first(where: { $0.name != "lo" }) else { return }
    let ends = try connect(to: other.address)
    #expect(NetworkInterfaces.inUse.contains(other.name))
    for end in ends { close(end) }
  }

  /// The IPv4 addresses of interfaces that are up, in network byte order.
  private static var addresses: [(name: String, address: UInt32)] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    return sequence(first: first, next: { $0?.pointee.ifa_next }).compactMap { entry in
      guard let entry = entry?.pointee, let address = entry.ifa_addr, entry.ifa_flags & 1 != 0,
        Int32(address.pointee.sa_family) == AF_INET
      else { return nil }
      let value = UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 4, as: UInt32.self)
      return (String(cString: entry.ifa_name), value)
    }
  }

  /// Three sockets: a listening one and both ends of a connection to it.
  private func connect(to host: UInt32) throws -> [Int32] {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = host
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let stream = Int32(SOCK_STREAM.rawValue)
    let (listening, calling) = (socket(AF_INET, stream, 0), socket(AF_INET, stream, 0))
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        Glibc.bind(listening, pointer, size) + listen(listening, 1)
          + getsockname(listening, pointer, &size) + Glibc.connect(calling, pointer, size)
      }
    }
    try #require(status == 0)
    return [listening, calling, accept(listening, nil, nil)]
  }
}
