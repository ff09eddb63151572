using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Datacake.Tool.Terminal;

/// <summary>The output of a command: values on standard output, as text or JSON, and messages on standard error.</summary>
sealed class Output
{
    /// <summary>The width of tables that go into a file or a pipe, where nothing is cut off.</summary>
    const int UnlimitedWidth = 1_000;

    readonly TextWriter _values;
    readonly TextWriter _messages;

    public Output(bool isJson, TextWriter values, TextWriter messages)
    {
        IsJson = isJson;
        _values = values;
        _messages = messages;
        Screen = ConsoleOf(values, Console.IsOutputRedirected);
        Messages = ConsoleOf(messages, Console.IsErrorRedirected);
    }

    /// <summary>True if values are JSON, for scripts.</summary>
    public bool IsJson { get; }

    /// <summary>Gets the console of standard output, for tables.</summary>
    public IAnsiConsole Screen { get; }

    /// <summary>Gets the console of standard error, for progress bars.</summary>
    public IAnsiConsole Messages { get; }

    /// <summary>Writes a value: as one line of JSON, or as text.</summary>
    public void Write<T>(T value, JsonTypeInfo<T> type, Func<T, IRenderable> render)
    {
        if (IsJson)
            Line(JsonSerializer.Serialize(value, type));
        else
            Screen.Write(render(value));
    }

    /// <summary>Writes a line to standard output.</summary>
    public void Line(string text) => _values.WriteLine(text);

    /// <summary>Writes a message to standard error.</summary>
    public void Message(string text) => _messages.WriteLine(text);

    /// <summary>Asks for a confirmation, unless it was given by an option.</summary>
    /// <exception cref="ToolException">The user says no, or cannot be asked.</exception>
    public void Confirm(bool isConfirmed, string consequence)
    {
        if (isConfirmed)
            return;
        if (Console.IsInputRedirected)
            throw new ToolException(ExitCode.Refused, $"{consequence} Nobody can be asked here, so nothing was done. Pass --yes to confirm it.");
        _messages.Write($"{consequence} Continue? [y/N] ");
        if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
            throw new ToolException(ExitCode.Refused, "Nothing was done.");
    }

    /// <summary>Returns a table with columns.</summary>
    public static Table Table(params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)));
        return table;
    }

    /// <summary>Adds a row of plain texts to a table. Texts of other machines may contain control characters, which a terminal would obey.</summary>
    public static void AddRow(Table table, params ReadOnlySpan<string?> cells)
    {
        var row = new List<IRenderable>();
        foreach (string? cell in cells)
            row.Add(new Text(Clean(cell ?? "")));
        table.AddRow(row);
    }

    /// <summary>Returns a text without control characters.</summary>
    public static string Clean(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
            clean.Append(char.IsControl(c) && c != '\n' ? '\uFFFD' : c);
        return clean.ToString();
    }

    public static string Format(double? number, string format = "0.0", string unit = "") =>
        number is { } value ? value.ToString(format, CultureInfo.InvariantCulture) + unit : "";

    public static string Format(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    static IAnsiConsole ConsoleOf(TextWriter writer, bool isRedirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isRedirected)
            console.Profile.Width = UnlimitedWidth;
        return console;
    }
}
