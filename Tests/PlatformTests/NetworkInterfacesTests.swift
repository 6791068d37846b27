import Platform
import Testing

struct NetworkInterfacesTests {
  private let table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 0200007F:9C40 01 00000000:00000000 00:00000000 00000000 0 0 777 1",
    "   1: 0A00020F:0016 0A000202:C1B0 0A 00000000:00000000 00:00000000 00000000 0 0 778 1",
    "   2: 0000000000000000FFFF00000A00020F:01 0:02 01 00000000:00000000 00:00000000 0 0 0 779 1",
    "   3: broken",
  ]

  @Test
  func onlyEstablishedConnectionsOfTheseSocketsCount() {
    let addresses = NetworkInterfaces.localAddresses(
      connectionsIn: table, of: ["777", "778", "779"])
    #expect(addresses == ["0100007F", "0A00020F"])
    #expect(NetworkInterfaces.localAddresses(connectionsIn: table, of: ["1"]) == [])
    #expect(NetworkInterfaces.localAddresses(connectionsIn: [], of: ["777"]) == [])
  }
}
