namespace Datacake.Rpc.Handshake;

/// <summary>
/// Text files whose contents may change. They are compared as a whole, since a mounted secret is swapped by links and keeps names, and at
/// times its date.
/// </summary>
sealed class WatchedFiles(params string[] paths)
{
    string[]? _accepted;

    public override string ToString() => string.Join(" and ", paths.Select(path => $"'{path}'"));

    public string[] Read() => [.. paths.Select(File.ReadAllText)];

    public bool IsAccepted(string[] texts) => texts.AsSpan().SequenceEqual(_accepted);

    public void Accept(string[] texts) => _accepted = texts;
}
