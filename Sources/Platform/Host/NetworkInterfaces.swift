import Foundation

/// The network interfaces that this process uses, from the kernel's connection tables.
///
/// MPI does not report which interface it chose, so this is the only way to find out.
package enum NetworkInterfaces {
  /// Names of the interfaces over which this process has TCP connections now, sorted, without
  /// loopback.
  package static var inUse: [String] {
    let sockets = openSockets
    let addresses = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap { path in
      localAddresses(connectionsIn: HostResources.lines(of: path), of: sockets)
    }
    let names = namesByAddress
    return Set(addresses.compactMap { names[$0] }).subtracting(["lo"]).sorted()
  }

  /// Local addresses of the established connections in the lines of a `/proc/net/tcp` table.
  ///
  /// Only connections of `sockets`, given by inode numbers, count. Addresses are hexadecimal words
  /// in the processor's byte order, as in the table; IPv4-mapped IPv6 addresses become IPv4
  /// addresses.
  package static func localAddresses(connectionsIn table: [String], of sockets: Set<String>)
    -> [String]
  {
    table.dropFirst().compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 9, words[3] == "01", sockets.contains(String(words[9])) else {
        return nil
      }
      let address = words[1].prefix { $0 != ":" }
      return String(address.hasPrefix("0000000000000000FFFF0000") ? address.suffix(8) : address)
    }
  }

  /// Inode numbers of this process's sockets.
  private static var openSockets: Set<String> {
    let folder = "/proc/self/fd"
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let targets = files.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
    }
    return Set(
      targets.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) })
  }

  /// Interface names by address, in the notation of the kernel's tables.
  private static var namesByAddress: [String: String] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [:] }
    defer { freeifaddrs(first) }
    var names: [String: String] = [:]
    for entry in sequence(first: first, next: { $0?.pointee.ifa_next }) {
      guard let entry = entry?.pointee, let address = entry.ifa_addr else { continue }
      let bytes: (offset: Int, count: Int)  // of the address within sockaddr_in and sockaddr_in6
      switch Int32(address.pointee.sa_family) {
      case AF_INET: bytes = (4, 4)
      case AF_INET6: bytes = (8, 16)
      default: continue
      }
      let words = stride(from: 0, to: bytes.count, by: 4).map {
        UnsafeRawPointer(address).loadUnaligned(
          fromByteOffset: bytes.offset + $0, as: UInt32.self)
      }
      names[words.map { String(format: "%08X", $0) }.joined()] = String(cString: entry.ifa_name)
    }
    return names
  }
}
