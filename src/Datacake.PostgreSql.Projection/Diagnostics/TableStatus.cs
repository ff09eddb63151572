namespace Datacake.PostgreSql.Projection.Diagnostics;

/// <summary>The changing status of a projected table. Thread-safe.</summary>
sealed class TableStatus(string keyspace, string table, TimeProvider time)
{
    readonly Lock _lock = new();
    ProjectionState _state;         // all below under the lock
    TimeSpan? _lag;
    DateTimeOffset? _keptAt;
    long _rows;
    long _loads;
    Exception? _error;

    public string Table => table;

    public ProjectionStatus Current
    {
        get
        {
            lock (_lock)
            {
                return new ProjectionStatus
                {
                    Keyspace = keyspace,
                    Table = table,
                    State = _state,
                    Lag = _state is ProjectionState.Failed ? time.GetUtcNow() - _keptAt : _lag,
                    RowsWritten = _rows,
                    Loads = _loads,
                    LastError = _error,
                };
            }
        }
    }

    public void Load()
    {
        lock (_lock)
            _state = ProjectionState.Loading;
    }

    public void Loaded(long rows)
    {
        ProjectionTelemetry.Loaded(table, rows);
        lock (_lock)
            _loads++;
        Follow(rows, TimeSpan.Zero);
    }

    public void Applied(int rows, TimeSpan elapsed, DateTimeOffset madeAt)
    {
        var lag = rows == 0 ? TimeSpan.Zero : time.GetUtcNow() - madeAt;
        lag = lag < TimeSpan.Zero ? TimeSpan.Zero : lag;
        ProjectionTelemetry.Applied(table, rows, elapsed, lag);
        Follow(rows, lag);
    }

    public void End(Exception? failure)
    {
        if (failure is not null)
            ProjectionTelemetry.Failed(table);
        lock (_lock)
        {
            _state = failure is null ? ProjectionState.Waiting : ProjectionState.Failed;
            _error = failure ?? _error;
        }
    }

    void Follow(long rows, TimeSpan lag)
    {
        lock (_lock)
        {
            _state = ProjectionState.Following;
            _error = null;
            _rows += rows;
            (_lag, _keptAt) = (lag, time.GetUtcNow());
        }
    }
}
