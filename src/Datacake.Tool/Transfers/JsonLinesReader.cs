namespace Datacake.Tool.Transfers;

/// <summary>Reads JSON Lines in blocks of whole lines.</summary>
static class JsonLinesReader
{
    /// <summary>The maximum length of a line, which is more than a store accepts.</summary>
    const int MaxLine = 256 * 1024 * 1024;

    /// <param name="file">The path of the file.</param>
    /// <param name="position">The position at which to begin.</param>
    /// <param name="line">The number of lines before the position.</param>
    public static IEnumerable<ImportBlock> Read(string file, long position, long line)
    {
        using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        source.Position = position;
        byte[] rest = [];
        while (true)
        {
            byte[] buffer = new byte[rest.Length + ImportBlock.Length];
            rest.CopyTo(buffer, 0);
            int length = rest.Length + source.ReadAtLeast(buffer.AsSpan(rest.Length), ImportBlock.Length, throwOnEndOfStream: false);
            bool isEnd = length < buffer.Length;
            int end = isEnd ? length : buffer.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
            rest = buffer[end..length];
            if (rest.Length > MaxLine)
                throw new InvalidDataException($"Line {line + 1} is longer than {MaxLine} bytes. Is {file} a file of JSON Lines?");
            if (end > 0)
            {
                var (documents, lines) = Count(buffer.AsSpan(0, end));
                position += end;
                line += lines;
                yield return new ImportBlock(buffer.AsMemory(0, end), documents, position, line);
            }
            if (isEnd)
                yield break;
        }
    }

    static (int Documents, int Lines) Count(ReadOnlySpan<byte> text)
    {
        int documents = 0, lines = 0;
        foreach (var range in text.Split((byte)'\n'))
        {
            if (range.Start.Value == text.Length && text.Length > 0)
                break;
            lines++;
            if (!text[range].Trim(" \r\t"u8).IsEmpty)
                documents++;
        }
        return (documents, lines);
    }
}
