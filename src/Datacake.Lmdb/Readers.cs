namespace Datacake.Lmdb;

/// <summary>
/// The read transactions of one open file: those that snapshots have, and those that wait for the next snapshot. It closes the file when
/// that is of no more use.
/// </summary>
sealed class Readers(LmdbEnvironment environment)
{
    readonly Lock _gate = new();   // Guards all below; taken before the lock of any transaction.
    readonly Stack<ReadTransaction> _idle = [];
    readonly List<ReadTransaction> _all = [];
    int _open;                     // how many snapshots have
    IDisposable? _closeAfter;
    bool _isRetired;

    /// <summary>A transaction that sees this moment; <see langword="null"/> if the file was retired.</summary>
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

    /// <summary>Makes the map larger. Snapshots stay open: reads under way are waited for, and the next ones find the new address.</summary>
    /// <remarks>
    /// lmdb.h asks for more, that no transaction is open at all; but a read transaction has no address of the map, and a cursor only as
    /// long as it has a place (mdb_page_get, mdb_cursor_renew in mdb.c of 0.9 and of 1.x).
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

    /// <summary>Closes the file, and then what else is given, as soon as the last snapshot is disposed. There are no new ones.</summary>
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
