namespace Datacake.Administration;

/// <summary>The state of a node.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Address">The address that the node advertises.</param>
/// <param name="DataCenter">The data center of the node.</param>
/// <param name="ClusterId">The id of the cluster.</param>
/// <param name="Version">The version of Datacake that the node runs.</param>
/// <param name="Time">The wall clock of the node.</param>
/// <param name="UptimeSeconds">How long the node has been running.</param>
/// <param name="Storage">The kind of the storage, such as <c>SqliteStorage</c>.</param>
/// <param name="StorageBytes">The size of the storage on the disk; null if it is in memory.</param>
/// <param name="HasJoined">True if the node's store is part of its cluster.</param>
/// <param name="ReceivedDocuments">The documents that the node has received to join.</param>
/// <param name="ExpectedDocuments">The approximate number of documents that the node receives to join.</param>
/// <param name="Keyspaces">The number of keyspaces.</param>
/// <param name="Documents">The number of documents in all keyspaces.</param>
/// <param name="AcceptsCommands">True if the node has an operator secret, so that operators can change something.</param>
/// <param name="Seeds">The seeds of the node; null if the node does not say.</param>
/// <param name="CertificateExpiresAt">The time at which the certificate of the node, or that of an issuer, expires; null if there is none.</param>
/// <param name="Members">All members of the cluster, the node itself included.</param>
/// <param name="Findings">What an operator should know, the most urgent first. Empty if all is well.</param>
/// <param name="Backups">The state of the scheduled backups; null if there are none.</param>
/// <param name="FreeBytes">The free space of the volume of the storage; null if it is in memory, or not known.</param>
/// <param name="Serial">The state of the serial transactions; null if the node does not say.</param>
/// <param name="Store">
/// The name of the store whose storage, keyspaces, documents, members, backups and serial transactions these are; an empty text for the node's own store. The findings are those of all stores.
/// </param>
/// <param name="Stores">An overview of the first 1,000 open stores, the node's own store first; null if it was not asked for, or if the node does not say.</param>
public sealed record NodeStatus(
    int NodeId, string Address, string DataCenter, string ClusterId, string Version, DateTimeOffset Time, double UptimeSeconds, string Storage, long? StorageBytes,
    bool HasJoined, long ReceivedDocuments, long ExpectedDocuments, int Keyspaces, long Documents, bool AcceptsCommands, IReadOnlyList<string>? Seeds, DateTimeOffset? CertificateExpiresAt, IReadOnlyList<MemberStatus> Members,
    IReadOnlyList<Finding> Findings, BackupStatus? Backups = null, long? FreeBytes = null, SerialTransactionStatus? Serial = null,
    string Store = "", IReadOnlyList<StoreStatus>? Stores = null);
