using System.Text;

namespace Datacake.Storage.Specification;

/// <summary>
/// Tests of every store. A provider's test project inherits this class, or <see cref="DurableStorageSpecification"/> if the store outlives its
/// process, and implements how to open a store.
/// </summary>
public abstract partial class StorageSpecification : IAsyncLifetime
{
    IStorage? _storage;

    /// <summary>Opens the store at a path, which is a name in an existing directory, or creates the store if it does not exist.</summary>
    protected abstract IStorage Open(string path);

    /// <summary>Gets the directory of this test.</summary>
    protected TemporaryDirectory Directory { get; } = new();

    /// <summary>Gets the path of the store under test.</summary>
    protected string StoragePath => Directory["store"];

    /// <summary>Gets the store under test, which is empty when a test starts.</summary>
    protected IStorage Storage => _storage ?? throw new InvalidOperationException("The store is closed.");

    /// <summary>
    /// Gets the number of random sequences of operations to compare with a model. The environment variable DATACAKE_SEQUENCES sets it.
    /// </summary>
    protected virtual int RandomSequences => Parameter("DATACAKE_SEQUENCES", 60);

    /// <inheritdoc/>
    public ValueTask InitializeAsync()
    {
        _storage = Open(StoragePath);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the store under test.</summary>
    protected async Task CloseAsync()
    {
        if (_storage is not null)
            await _storage.DisposeAsync();
        _storage = null;
    }

    /// <summary>Closes the store under test and opens it again.</summary>
    protected async Task ReopenAsync()
    {
        await CloseAsync();
        _storage = Open(StoragePath);
    }

    /// <summary>Returns a number that an environment variable can raise for a long run.</summary>
    protected internal static int Parameter(string variable, int quick) =>
        Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, provider: null) : quick;

    /// <summary>Returns the bytes of a text, one for each character from U+0000 to U+00FF.</summary>
    protected static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Returns the text of bytes, one character for each byte.</summary>
    protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);

    /// <summary>Returns the range of keys from a start up to an end, or without an upper bound.</summary>
    protected static KeyRange Range(string start, string? end)
    {
        // A conditional expression would convert null to a byte array, and that to an empty key.
        if (end is null)
            return new KeyRange(Bytes(start), null);
        return new KeyRange(Bytes(start), Bytes(end));
    }

    /// <summary>Commits puts, and deletes where the value is null, as one batch.</summary>
    protected async Task CommitAsync(params (string Key, string? Value)[] operations)
    {
        var batch = new WriteBatch();
        foreach ((string key, string? value) in operations)
        {
            if (value is null)
                batch.Delete(Bytes(key));
            else
                batch.Put(Bytes(key), Bytes(value));
        }
        await Storage.CommitAsync(batch, Durability.Buffered);
    }

    /// <summary>Returns the current value of a key.</summary>
    protected async Task<string?> GetAsync(string key)
    {
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        return await GetAsync(snapshot, key);
    }

    /// <summary>Returns the value of a key in a snapshot.</summary>
    protected static async Task<string?> GetAsync(IStorageSnapshot snapshot, string key) =>
        await snapshot.GetAsync(Bytes(key)) is { } value ? Text(value) : null;

    /// <summary>Returns all entries of a range in a snapshot, page by page, as "key=value".</summary>
    protected static async Task<List<string>> ScanAsync(
        IStorageSnapshot snapshot, KeyRange range, ScanDirection direction = ScanDirection.Forward, int pageSize = 100)
    {
        var entries = new List<string>();
        while (true)
        {
            IReadOnlyList<StorageEntry> page = await snapshot.ScanAsync(range, direction, pageSize);
            Assert.True(page.Count <= pageSize, $"A page of {pageSize} holds {page.Count} entries.");
            if (page.Count == 0)
                return entries;
            AssertInOrder(page, range, direction);
            entries.AddRange(page.Select(entry => $"{Text(entry.Key)}={Text(entry.Value)}"));
            ReadOnlyMemory<byte> last = page[^1].Key;
            range = direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
        }
    }

    /// <summary>Returns all current entries of a range.</summary>
    protected async Task<List<string>> ScanAsync(KeyRange range, ScanDirection direction = ScanDirection.Forward, int pageSize = 100)
    {
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        return await ScanAsync(snapshot, range, direction, pageSize);
    }

    // Each page continues where the last one ended, so that a scan that does not advance cannot run forever.
    static void AssertInOrder(IReadOnlyList<StorageEntry> page, KeyRange range, ScanDirection direction)
    {
        foreach (StorageEntry entry in page)
        {
            Assert.True(range.Contains(entry.Key.Span), $"The key '{Text(entry.Key)}' is out of order or outside the range.");
            range = direction == ScanDirection.Forward ? range.After(entry.Key) : range.Before(entry.Key);
        }
    }
}
