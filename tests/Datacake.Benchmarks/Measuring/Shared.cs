namespace Datacake.Benchmarks.Measuring;

/// <summary>Something costly that several cells need: set up when the first one asks, and taken down after the last. Used by one caller at a time.</summary>
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
