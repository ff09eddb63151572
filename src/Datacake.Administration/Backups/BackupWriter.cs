using Datacake.Administration.Contracts;
using Datacake.Administration.Inspection;
using Datacake.EventualConsistency;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration.Backups;

/// <summary>
/// Writes backups of one node. A backup has a temporary name until it is complete, flushed and verified. Only then are older ones deleted. Thread-safe: one
/// backup is written at a time.
/// </summary>
sealed class BackupWriter(IDurableStorage storage, int nodeId, string clusterName, string store, TimeProvider time, ILogger logger) : IDisposable
{
    readonly SemaphoreSlim _writing = new(1);

    public static BackupWriter Of(ReplicatedStore store, ILogger logger) => new(
        store.Storage as IDurableStorage
            ?? throw new InvalidOperationException($"A backup needs a storage on a disk. {(store.Name.Length == 0 ? "" : $"The store '{store.Name}' of ")}{(store.Name.Length == 0 ? "Node" : "node")} {store.Node.Id} has its data in memory. Use a durable storage, or remove the settings of backups."),
        store.Node.Id, store.Node.ClusterId, store.Name, store.Node.TimeProvider, logger);

    /// <summary>Gets the clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Gets the node that is backed up.</summary>
    public int NodeId => nodeId;

    /// <summary>Gets the name of the store that is backed up; an empty text for the node's own store.</summary>
    public string Store => store;

    /// <summary>Gets the owner of the backups, as a part of a sentence.</summary>
    public string Owner => store.Length > 0 ? $"the store '{store}' of node {nodeId}" : $"node {nodeId}";

    /// <summary>Returns the newest backup in a folder whose time has come; null if there is none.</summary>
    public async Task<BackupFile?> FindLastAsync(string folder, CancellationToken cancellationToken)
    {
        var names = await NamesAsync(cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow();
        return names.Names.List(folder).LastOrDefault(file => file.Time <= now);
    }

    /// <summary>Writes a backup with a name of its own into a folder, and deletes those that the rule does not keep.</summary>
    /// <exception cref="StorageException">The folder does not exist, the backup cannot be written, or it is damaged. Older backups are kept.</exception>
    public async Task<BackupResult> WriteToFolderAsync(string folder, bool verify, int? keep, TimeSpan? keepFor, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // It is not created, because it may be the mount point of a volume that is missing.
            if (!Directory.Exists(folder))
                throw new StorageException(StorageError.Inaccessible, $"The folder '{folder}' for backups does not exist. Create it, or mount its volume.");
            var (names, summary) = await NamesAsync(cancellationToken).ConfigureAwait(false);
            names.DeleteUnverified(folder);
            var now = time.GetUtcNow();
            var result = await WriteAsync(names.PathOf(folder, now), summary, verify, cancellationToken).ConfigureAwait(false);
            int deleted = 0;
            if (keep is { } count)
                deleted = DeleteExpired(BackupRetention.Expired(names.List(folder), now, count, keepFor).Where(file => file.Path != result.Path));
            return result with { At = now, Deleted = deleted };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem($"folder '{folder}' of backups", e);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes a backup to a path at which nothing exists.</summary>
    /// <exception cref="StorageException">Something exists at the path, the backup cannot be written, or it is damaged.</exception>
    public async Task<BackupResult> WriteToFileAsync(string path, bool verify, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!verify)
            {
                await storage.BackUpAsync(path, cancellationToken).ConfigureAwait(false);
                return new BackupResult(path, time.GetUtcNow(), new FileInfo(path).Length, null);
            }
            var (_, summary) = await NamesAsync(cancellationToken).ConfigureAwait(false);
            return await WriteAsync(path, summary, verify, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    async Task<BackupResult> WriteAsync(string path, StoreSummary original, bool verify, CancellationToken cancellationToken)
    {
        if (Path.Exists(path))
            throw new StorageException(StorageError.Inaccessible, $"The backup cannot be written to '{path}', because that path already exists. Choose another path, or move the existing file away.");
        var now = time.GetUtcNow();
        string unverified = BackupNames.UnverifiedPathOf(path);
        File.Delete(unverified);
        try
        {
            await storage.BackUpAsync(unverified, cancellationToken).ConfigureAwait(false);
            BackupVerification? verification = null;
            if (verify)
            {
                var backup = await storage.OpenBackupAsync(unverified, cancellationToken).ConfigureAwait(false);
                await using (backup.ConfigureAwait(false))
                    verification = await BackupVerifier.VerifyAsync(unverified, backup, original, cancellationToken).ConfigureAwait(false) with { File = path };
            }
            DurableFile.Move(unverified, path);
            return new BackupResult(path, now, new FileInfo(path).Length, verification);
        }
        catch
        {
            TryDelete(unverified);
            throw;
        }
    }

    int DeleteExpired(IEnumerable<BackupFile> expired)
    {
        int deleted = 0;
        foreach (var file in expired)
        {
            if (TryDelete(file.Path))
                deleted++;
        }
        return deleted;
    }

    bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BackupLog.BackupNotDeleted(logger, nodeId, path, e);
            return false;
        }
    }

    async Task<(BackupNames Names, StoreSummary Summary)> NamesAsync(CancellationToken cancellationToken)
    {
        var summary = await StoreInspection.ReadAsync(storage, cancellationToken).ConfigureAwait(false);
        return summary.HasJoined
            ? (new BackupNames(nodeId, clusterName, summary.ClusterId, store), summary)
            : throw new InvalidOperationException($"The store {(store.Length > 0 ? $"'{store}' " : "")}of node {nodeId} has not joined its cluster yet, so there is nothing to back up. Retry when it has.");
    }
}
