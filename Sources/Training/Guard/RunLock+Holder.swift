import Collectives
import Foundation
import Platform

extension RunLock {
  /// The process that holds a lock, as its file names it.
  ///
  /// Process numbers mean something within one PID namespace of one boot only: containers on a machine,
  /// or on two machines, may have the same host name and the same numbers. So a process is judged where
  /// both are ours, and nowhere else.
  package struct Holder: Codable, Equatable {
    enum State { case running, ended, unknown }

    package let host: String
    package let process: Int32
    /// When the process started, in the kernel's count: process numbers come again.
    package let started: String
    package let boot: String
    /// The PID namespace; empty when it is unknown.
    package let namespace: String
    /// Another one for every lock that is taken.
    package let token: String

    package init(
      host: String, process: Int32, started: String, boot: String, namespace: String, token: String
    ) {
      (self.host, self.process, self.started) = (host, process, started)
      (self.boot, self.namespace, self.token) = (boot, namespace, token)
    }

    /// A new holder: this process.
    package static var ofThisProcess: Holder {
      Holder(
        host: hostName(), process: getpid(), started: startTime(of: getpid()) ?? "",
        boot: bootIdentity, namespace: pidNamespace, token: UUID().uuidString)
    }

    /// For a sentence.
    var name: String { "process \(process) on \(host)" }

    /// Whether the process runs; unknown when it cannot be seen from here.
    var state: State {
      guard !namespace.isEmpty, namespace == Self.pidNamespace, !boot.isEmpty,
        boot == Self.bootIdentity
      else { return .unknown }
      if kill(process, 0) != 0 && errno == ESRCH { return .ended }
      // Where /proc hides the processes of other users, there is one and nobody knows whether it is this.
      guard let found = Self.startTime(of: process) else { return .unknown }
      return found == started ? .running : .ended
    }

    private static var bootIdentity: String {
      (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    }

    /// The PID namespace of this process; empty when /proc shows the processes of another one.
    private static var pidNamespace: String {
      let files = FileManager.default
      guard
        (try? files.destinationOfSymbolicLink(atPath: "/proc/self")) == String(getpid()),
        let name = try? files.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
      else { return "" }
      return name
    }

    /// Field 22 of the process's `stat`, behind the name in brackets; "ended" for one that only waits to
    /// be reaped, nil when there is none to be read.
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
