using System.Text.Json;
using System.Threading.Channels;

namespace Datacake.Trials.Worker;

/// <summary>
/// The mode in which the program is one node. Commands arrive as JSON lines on standard input and run concurrently; answers are written as JSON
/// lines in the order in which they are ready. The end of the input ends the process.
/// </summary>
static class WorkerMode
{
    public static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault };

    public static async Task<int> RunAsync()
    {
        // The driver handles an interrupt from the terminal and ends its workers.
        Console.CancelKeyPress += (_, press) => press.Cancel = true;
        var answers = Channel.CreateUnbounded<Answer>(new UnboundedChannelOptions { SingleReader = true });
        _ = WriteAsync(answers.Reader);
        using var input = new StreamReader(Console.OpenStandardInput());
        var worker = new WorkerNode();
        while (await input.ReadLineAsync() is { } line)
        {
            var command = JsonSerializer.Deserialize<Command>(line, Json) ?? throw new InvalidDataException("A command is null.");
            _ = Task.Run(() => AnswerAsync(worker, command, answers.Writer));
        }
        // The driver is gone or wants this process gone: exit without leaving the cluster, like a kill.
        Environment.Exit(0);
        return 0;
    }

    static async Task AnswerAsync(WorkerNode worker, Command command, ChannelWriter<Answer> answers)
    {
        long start = TimeProvider.System.GetTimestamp();
        Answer answer;
        try
        {
            answer = await worker.ExecuteAsync(command);
        }
        catch (Exception e)
        {
            answer = new Answer(command.Id) { Error = e.GetType().Name, Message = e.Message };
        }
        answers.TryWrite(answer with { Id = command.Id, Milliseconds = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds });
    }

    static async Task WriteAsync(ChannelReader<Answer> answers)
    {
        await using var output = Console.OpenStandardOutput();
        await foreach (var answer in answers.ReadAllAsync())
        {
            await JsonSerializer.SerializeAsync(output, answer, Json);
            output.WriteByte((byte)'\n');
            await output.FlushAsync();
        }
    }
}
