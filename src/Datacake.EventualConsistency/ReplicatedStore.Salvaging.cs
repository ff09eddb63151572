using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Salvaging;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// What the files of a refused store alone have.
public sealed partial class ReplicatedStore
{
    /// <summary>
    /// Brings back what only the files of another store of this cluster have: of a node that was retired or whose id was taken over, or an old copy that has
    /// written. What they have and this store lacks is written here as new transactions, and replicates; of two writes to one value the later one wins.
    /// To do it again changes nothing more.
    /// </summary>
    /// <param name="files">The files, opened by the caller, who also closes them. They are only read.</param>
    /// <param name="mode">What is written. Begin with <see cref="SalvageMode.Trial"/>.</param>
    /// <param name="cancellationToken">Stops between two transactions; what was written by then stays.</param>
    /// <returns>What was found and written. A document that cannot be read or written is listed with the reason, and the rest is salvaged.</returns>
    /// <exception cref="ArgumentException">The files have no store of this cluster.</exception>
    /// <exception cref="StorageException">The files cannot be read, or the storage of this store refused the writes.</exception>
    /// <exception cref="StoreExcludedException">This store is no longer part of its cluster.</exception>
    /// <exception cref="TimeoutException">This store has not joined its cluster yet.</exception>
    public async ValueTask<SalvageResult> SalvageAsync(
        IDurableStorage files, SalvageMode mode = SalvageMode.Trial, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        var salvage = new StoreSalvage(_replica, _loop, mode);
        var result = await salvage.RunAsync(files, cancellationToken).ConfigureAwait(false);
        StoreLog.Salvaged(_parts.Context.Logger, _node.Id, files.Description, result.Examined, result.Written, salvage.Left);
        return result;
    }
}
