namespace Datacake.Lmdb;

/// <summary>
/// The pool of read transactions of one open file: those in use by snapshots, and idle ones for later snapshots. After retirement, it closes
/// the file as soon as no snapshot uses it.
/// </summary>
sealed class Readers(LmdbEnvironment environment)
{
    readonly Lock _gate = new();   // Guards the fields below. Taken before the lock of any transaction.
    readonly Stack<ReadTransaction> _idle = [];
    readonly List<ReadTransaction> _all = [];
    int _open;                     // The number of transactions in use by snapshots.
    IDisposable? _closeAfter;
    bool _isRetired;

    /// <summary>
    /// Returns a transaction that sees the current state of the store, or <see langword="null"/> if the readers have been retired.
    /// </summary>
    public ReadTransaction? TryRent()
    {
        lock (_gate)
        {
            if (_isRetired)
                return null;
            environment.ThrowIfLost();
            ReadTransaction transaction = _idle.TryPop(out ReadTransaction? idle) ? Renew(idle) : Begin();
            _open++;
            return transaction;
        }
    }

    public void Return(ReadTransaction transaction)
    {
        lock (_gate)
        {
            transaction.Reset();
            _open--;
            _idle.Push(transaction);
            CloseIfUnused();
        }
    }

    /// <summary>Enlarges the map. Snapshots stay open: active reads are awaited, and later reads use the new address.</summary>
    /// <remarks>
    /// lmdb.h requires that no transaction is open at all. But a read transaction holds no address in the map, and a cursor holds one only
    /// while it has a position (see mdb_page_get and mdb_cursor_renew in mdb.c of 0.9 and 1.x).
    /// </remarks>
    public void Grow()
    {
        lock (_gate)
        {
            foreach (ReadTransaction transaction in _all)
                transaction.Using.Enter();
            try
            {
                environment.Grow();
                foreach (ReadTransaction transaction in _all)
                    transaction.ForgetPlace();
            }
            finally
            {
                foreach (ReadTransaction transaction in _all)
                    transaction.Using.Exit();
            }
        }
    }

    /// <summary>
    /// Prevents new snapshots, and closes the file as soon as the last snapshot is disposed. Then disposes <paramref name="closeAfter"/>.
    /// </summary>
    public void Retire(IDisposable? closeAfter = null)
    {
        lock (_gate)
        {
            _isRetired = true;
            _closeAfter = closeAfter;
            CloseIfUnused();
        }
    }

    ReadTransaction Begin()
    {
        ReadTransaction transaction = environment.BeginRead();
        _all.Add(transaction);
        return transaction;
    }

    ReadTransaction Renew(ReadTransaction transaction)
    {
        try
        {
            transaction.Renew();
            return transaction;
        }
        catch
        {
            _all.Remove(transaction);
            transaction.Dispose();
            throw;
        }
    }

    void CloseIfUnused()
    {
        if (!_isRetired || _open > 0)
            return;
        while (_idle.TryPop(out ReadTransaction? transaction))
            transaction.Dispose();
        environment.Dispose();
        _closeAfter?.Dispose();
    }
}
