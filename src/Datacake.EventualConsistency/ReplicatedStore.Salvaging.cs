using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Salvaging;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// The recovery of data from the files of a refused store.
public sealed partial class ReplicatedStore
{
    /// <summary>
    /// Recovers data that exists only in the files of another store of this cluster: a store that was retired or whose node id was taken
    /// over, or an old copy in which something was written. Whatever this store lacks is written here in new transactions, which replicate.
    /// Of two writes to the same value, the later one wins. Repeating the call changes nothing more.
    /// </summary>
    /// <param name="files">The files, which the caller opens and closes. They are only read.</param>
    /// <param name="mode">The extent of the writes. Begin with <see cref="SalvageMode.Trial"/>.</param>
    /// <param name="cancellationToken">Stops between two transactions. Data that was written by then is kept.</param>
    /// <returns>
    /// The findings and the writes. A document that cannot be read or written is listed with the reason, and the others are salvaged.
    /// </returns>
    /// <exception cref="ArgumentException">The files contain no store of this cluster.</exception>
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
