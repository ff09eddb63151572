using System.Text;

namespace Datacake.Data.Analyzers;

/// <summary>A writer of indented source lines.</summary>
sealed class SourceWriter
{
    readonly StringBuilder _text = new();
    int _level;

    public void Line(string line = "")
    {
        if (line.Length > 0)
            _text.Append(' ', _level * 4).Append(line);
        _text.Append('\n');
    }

    public void Open(string line)
    {
        Line(line);
        Line("{");
        _level++;
    }

    public void Close(string end = "}")
    {
        _level--;
        Line(end);
    }

    public override string ToString() => _text.ToString();
}
