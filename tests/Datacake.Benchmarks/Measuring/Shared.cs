namespace Datacake.Benchmarks.Measuring;

/// <summary>An expensive resource that several cells share. It opens on first use and closes after the last cell. Not thread-safe.</summary>
sealed class Shared<T>(Func<Task<T>> open) : IAsyncDisposable
    where T : class, IAsyncDisposable
{
    T? _value;

    public async Task<T> GetAsync() => _value ??= await open();

    public async ValueTask DisposeAsync()
    {
        if (_value is not null)
            await _value.DisposeAsync();
    }
}
