import Collectives
import Foundation
import Platform

extension RunLock {
  /// The process that holds a lock, as described in the lock file.
  ///
  /// A process number identifies a process only within one PID namespace of one boot. Containers on
  /// one machine, or on two, may have the same host name and the same process numbers. So `state`
  /// is known only for a holder in this process's namespace and boot.
  package struct Holder: Codable, Equatable {
    package enum State { case running, ended, unknown }

    package let host: String
    package let process: Int32
    /// The start time of the process in clock ticks since boot, because the kernel reuses numbers.
    package let started: String
    package let boot: String
    /// The PID namespace; empty if it is unknown.
    package let namespace: String
    /// A unique identifier of this lock: one process may take several, one after the other.
    package let token: String

    package init(
      host: String, process: Int32, started: String, boot: String, namespace: String, token: String
    ) {
      (self.host, self.process, self.started) = (host, process, started)
      (self.boot, self.namespace, self.token) = (boot, namespace, token)
    }

    /// A holder with a new token that describes this process.
    package static var ofThisProcess: Holder {
      Holder(
        host: hostName(), process: getpid(), started: startTime(of: getpid()) ?? "",
        boot: bootIdentity, namespace: pidNamespace, token: UUID().uuidString)
    }

    /// The holder's name in messages.
    var name: String { "process \(process) on \(host)" }

    /// Whether the process runs; unknown if it is not visible from this process.
    package var state: State {
      guard !namespace.isEmpty, namespace == Self.pidNamespace, !boot.isEmpty,
        boot == Self.bootIdentity
      else { return .unknown }
      if kill(process, 0) != 0 && errno == ESRCH { return .ended }
      // Where /proc hides the processes of other users, some process has this number, but its start
      // time is unknown, so it may be another one.
      guard let found = Self.startTime(of: process) else { return .unknown }
      return found == started ? .running : .ended
    }

    private static var bootIdentity: String { HostResources.bootIdentifier ?? "" }

    /// The PID namespace of this process; empty if /proc shows another namespace.
    private static var pidNamespace: String {
      let files = FileManager.default
      guard
        (try? files.destinationOfSymbolicLink(atPath: "/proc/self")) == String(getpid()),
        let name = try? files.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
      else { return "" }
      return name
    }

    /// The start time of a process: field 22 of `/proc/PID/stat` (proc(5)).
    ///
    /// The name in field 2 may contain spaces and brackets, so fields are counted after its last
    /// bracket. "ended" for a zombie; nil if the file cannot be read.
    private static func startTime(of process: Int32) -> String? {
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let bracket = text.lastIndex(of: ")")
      else { return nil }
      let fields = text[bracket...].split(separator: " ")
      guard fields.count > 20 else { return nil }
      return fields[1] == "Z" ? "ended" : String(fields[20])
    }
  }
}
