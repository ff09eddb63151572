namespace Datacake.Rpc.Handshake;

/// <summary>
/// Text files whose contents may change. Their whole contents are compared, because a mounted secret is replaced by switching a symbolic
/// link, which keeps the names and sometimes the dates of the files.
/// </summary>
sealed class WatchedFiles(params string[] paths)
{
    string[]? _accepted;

    public override string ToString() => string.Join(" and ", paths.Select(path => $"'{path}'"));

    public string[] Read() => [.. paths.Select(File.ReadAllText)];

    public bool IsAccepted(string[] texts) => texts.AsSpan().SequenceEqual(_accepted);

    public void Accept(string[] texts) => _accepted = texts;
}
