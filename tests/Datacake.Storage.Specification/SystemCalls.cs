using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Datacake.Storage.Specification;

/// <summary>The file system calls of a process, as recorded by strace.</summary>
static partial class SystemCalls
{
    const string Traced =
        "openat,lseek,write,writev,pwrite64,pwritev,pwritev2,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";

    /// <summary>Returns the command that records the calls of the command after it in files with a given name. Skips the test if strace is missing.</summary>
    public static string[] Recorder(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has strace.");
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo("strace", ["-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
                return ["strace", "-ff", "-ttt", "-y", "-v", "-s", "100000000", "-o", name, "-e", $"trace={Traced}"];
        }
        catch (Win32Exception)
        {
            // strace is not installed.
        }
        Assert.Skip("There is no strace, or this process may not use it.");
        throw new InvalidOperationException("Not reached: the test is skipped.");
    }

    /// <summary>Returns the calls that succeeded, of all threads, in the order in which they were made.</summary>
    public static List<SystemCall> Read(string name)
    {
        var calls = new List<SystemCall>();
        // There is one file for each thread.
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(name)!, Path.GetFileName(name) + ".*"))
        {
            foreach (string line in File.ReadLines(file))
            {
                if (CallLine().Match(line) is { Success: true } match)
                {
                    calls.Add(new SystemCall(
                        double.Parse(match.Groups["time"].ValueSpan, provider: CultureInfo.InvariantCulture),
                        match.Groups["name"].Value,
                        match.Groups["arguments"].Value,
                        match.Groups["result"].Value));
                }
            }
        }
        return [.. calls.OrderBy(call => call.Time)];
    }

    // 1700000000.000000 pwrite64(12</tmp/store>, "..."..., 4096, 0) = 4096
    [GeneratedRegex(@"^(?<time>[\d.]+) (?<name>\w+)\((?<arguments>.*)\)\s+= (?<result>\d.*)$")]
    private static partial Regex CallLine();
}

/// <summary>A system call, with its arguments and result as text. A file descriptor is followed by its path in angle brackets.</summary>
sealed partial record SystemCall(double Time, string Name, string Arguments, string Result)
{
    public bool IsWrite => Name is "write" or "writev" or "pwrite64" or "pwritev" or "pwritev2" or "ftruncate";

    public bool IsCut => Name is "ftruncate";

    /// <summary>True if the call writes at the descriptor's position and advances it.</summary>
    public bool IsSequential => Name is "write" or "writev";

    public bool IsRemoval => Name is "unlink" or "unlinkat";

    public bool IsSync => Name is "fsync" or "fdatasync";

    public bool IsRename => Name is "rename" or "renameat" or "renameat2";

    public bool MakesFile => Name == "openat" && Arguments.Contains("O_CREAT", StringComparison.Ordinal);

    /// <summary>True if the call opens a descriptor whose writes are on the disk when they return.</summary>
    public bool OpensForSyncedWrites => Name == "openat" && SyncedFlag().IsMatch(Arguments);

    /// <summary>Gets the descriptor that is the first argument.</summary>
    public int Descriptor => Number(Arguments);

    /// <summary>Gets the descriptor that was opened.</summary>
    public int OpenedDescriptor => Number(Result);

    /// <summary>Gets the path of the descriptor that is the first argument.</summary>
    public string Path => BracketedPath().Match(Arguments).Groups["path"].Value;

    /// <summary>Gets the path of the descriptor that was opened.</summary>
    public string OpenedPath => BracketedPath().Match(Result).Groups["path"].Value;

    /// <summary>Gets the last numeric argument: the offset of a write, or the length of a file.</summary>
    public long LastNumber => long.Parse(TrailingNumber().Match(Arguments).ValueSpan, provider: null);

    /// <summary>Gets the bytes that were written, which may be fewer than requested.</summary>
    public byte[] Data =>
        [.. QuotedText().Matches(Arguments).SelectMany(match => Unescape(match.Groups["text"].Value)).Take(Number(Result))];

    /// <summary>Gets the first argument that is a path: the old name of a rename.</summary>
    public string FirstArgument => QuotedText().Match(Arguments).Groups["text"].Value;

    /// <summary>Gets the last argument that is a path: the new name of a rename.</summary>
    public string LastArgument => QuotedText().Matches(Arguments)[^1].Groups["text"].Value;

    /// <summary>Gets the number if the call writes a line with just a number to standard output.</summary>
    public int? AcknowledgedNumber =>
        Name == "write" && AcknowledgmentArguments().Match(Arguments) is { Success: true } match
            ? int.Parse(match.Groups["number"].ValueSpan, provider: null)
            : null;

    static int Number(string text) =>
        LeadingNumber().Match(text) is { Success: true } match ? int.Parse(match.ValueSpan, provider: null) : -1;

    /// <summary>Decodes a text that is escaped as in C, with octal numbers.</summary>
    static List<byte> Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Add((byte)text[i]);
                continue;
            }
            i++;
            int digits = 0;
            int number = 0;
            while (digits < 3 && i + digits < text.Length && text[i + digits] is >= '0' and <= '7')
                number = 8 * number + (text[i + digits++] - '0');
            if (digits > 0)
            {
                bytes.Add((byte)number);
                i += digits - 1;
                continue;
            }
            bytes.Add(text[i] switch { 'n' => 10, 't' => 9, 'r' => 13, 'v' => 11, 'f' => 12, char itself => (byte)itself });
        }
        return bytes;
    }

    [GeneratedRegex(@"\d+$")]
    private static partial Regex TrailingNumber();

    [GeneratedRegex(@"^\d+")]
    private static partial Regex LeadingNumber();

    [GeneratedRegex(@"^\d+<(?<path>[^>]*)>")]
    private static partial Regex BracketedPath();

    [GeneratedRegex("\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex QuotedText();

    [GeneratedRegex(@"\bO_D?SYNC\b")]
    private static partial Regex SyncedFlag();

    [GeneratedRegex("^\\d+<pipe:[^>]*>, \"(?<number>\\d+)\\\\n\", \\d+$")]
    private static partial Regex AcknowledgmentArguments();
}
