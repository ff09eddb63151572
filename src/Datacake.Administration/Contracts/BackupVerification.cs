namespace Datacake.Administration.Contracts;

/// <summary>The result of the verification of a backup, of which every record was read.</summary>
/// <param name="File">The path of the backup.</param>
/// <param name="Bytes">The size of the file.</param>
/// <param name="NodeId">The node that the store belongs to.</param>
/// <param name="StoreId">The id of the store.</param>
/// <param name="ClusterId">The random identity of the cluster.</param>
/// <param name="Format">The format of the store.</param>
/// <param name="Records">The number of records.</param>
/// <param name="Documents">The number of documents that exist.</param>
/// <param name="LastWrite">The time of the last known write of any node; null if there is none.</param>
sealed record BackupVerification(
    string File, long Bytes, int NodeId, string StoreId, string ClusterId, uint Format, long Records, long Documents, DateTimeOffset? LastWrite);
