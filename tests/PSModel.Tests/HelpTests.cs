using System.Management.Automation;
using PSModel.Help;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class HelpTests : IDisposable
{
    /// <summary>Every example of every command, in one session, with the loopback registry in place of Ollama's.</summary>
    private const string RunExamples =
        """
        param($registry, $target)
        $null = Save-ModelBlob gemma4:31b $HOME/usb -Registry $registry
        foreach ($command in 'Save-ModelBlob', 'Get-ModelManifest', 'Test-ModelBlob', 'Export-ModelPin', 'Import-ModelPin', 'Publish-ModelBlob', 'Remove-ModelBlob') {
            # A registry to which models are pushed.
            $env:MODEL_MIRROR = if ($command -like 'Publish*') { $target } else { $env:MODEL_SOURCE }
            foreach ($example in (Get-Help $command).examples.example) {
                $Error.Clear()
                $PSDefaultParameterValues = if ($example.code -notmatch ' -Source | -Destination | -Registry ') { @{ '*-Model*:Registry' = $registry } } else { @{} }
                $output = @(. ([scriptblock]::Create($example.code)))
                "$command | $($example.title) | $($output.Count) objects | $($Error.Count) errors $Error"
            }
        }
        """;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Commands => [.. ModuleCommands.All];

    [Fact]
    public void The_files_in_en_US_are_what_their_source_makes()
    {
        new HelpBook(Path.Combine(Checkout.Root, "src", "PSModel.Help", "Topics"), Checkout.StagedModule).Write(_folder.Path);
        string committed = Path.Combine(Checkout.Root, "en-US");
        Assert.Equal(Names(committed), Names(_folder.Path));
        foreach (string name in Names(committed))
        {
            Assert.Equal(File.ReadAllText(Path.Combine(_folder.Path, name)), File.ReadAllText(Path.Combine(committed, name)));
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_every_part_of_help(string command)
    {
        PSObject help = _engine.Run("param($name) Get-Help $name -Full", command).Output[0];
        dynamic full = help;
        Assert.True(((object[])full.examples.example).Length >= 4);
        Assert.NotEmpty(Text(full.description));
        Assert.NotEmpty((string)full.Synopsis);
        Assert.NotNull(full.inputTypes.inputType);
        Assert.NotNull(full.returnValues.returnValue);
        Assert.NotNull(full.alertSet.alert);
    }

    [Theory]
    [InlineData("about_PSModel")]
    [InlineData("about_PSModel_Verification")]
    public void The_topics_are_found(string topic)
    {
        string text = Assert.Single(_engine.Run("param($topic) Get-Help $topic", topic).Output).ToString();
        Assert.Contains("SHORT DESCRIPTION", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
    }

    [Theory]
    [InlineData("about_PSModel", "PSModel.Core.Faults.ModelFault")]
    [InlineData("about_PSModel_Verification", "PSModel.Core.Diagnosis.DiagnosisVerdict")]
    [InlineData("about_PSModel_Verification", "PSModel.Core.Diagnosis.DamagePattern")]
    public void The_topics_explain_every_word_that_a_script_may_meet(string topic, string type)
    {
        const string NamesOf =
            """
            param($type)
            $null = Get-ModelManifest -Local -StorePath /nowhere
            $core = [System.AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'PSModel.Core' }
            @($core)[0].GetType($type, $true).GetEnumNames()
            """;
        string text = _engine.Run("param($topic) Get-Help $topic", topic).Output[0].ToString();
        string[] names = [.. _engine.Run(NamesOf, type).Output.Select(name => name.ToString())];
        Assert.True(names.Length > 5);
        Assert.All(names, name => Assert.Contains(name, text, StringComparison.Ordinal));
    }

    /// <summary>What PowerShell asks to open the address is a script that writes it down, found in place of the desktop's.</summary>
    [NeedsTheory("sh", "chmod")]
    [MemberData(nameof(Commands))]
    public async Task Online_asks_for_the_page_of_the_module(string command)
    {
        string asked = Path.Combine(_folder.Path, "asked");
        string opener = Path.Combine(_folder.Path, "xdg-open");
        await File.WriteAllTextAsync(opener, $"#!/bin/sh\necho \"$@\" >> '{asked}.new'\nmv '{asked}.new' '{asked}'\n");
        await ChildProcess.RunAsync("chmod", "+x", opener);
        using ChildProcess process = ChildProcess.StartScript(
            $"Get-Help {command} -Online; (Get-Command {command}).HelpUri",
            ("PATH", $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}"));
        Assert.True(await process.WaitAsync() == 0, process.Error);
        Assert.Equal(string.Empty, process.Error);
        await Until.HoldsAsync(() => File.Exists(asked));
        Assert.Equal("https://www.powershellgallery.com/packages/PSModel", (await File.ReadAllTextAsync(asked)).Trim());
        Assert.Equal("https://www.powershellgallery.com/packages/PSModel", process.Output.Trim());
    }

    [Fact]
    public async Task Every_example_runs_as_it_stands()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        registry.Offer(LoopbackModel.Generate("library/gemma4", "31b", 3_000_000));
        registry.Offer(LoopbackModel.Generate("group/sub/project/llama", "8b", 1_000_000, seed: 3));
        registry.Offer(LoopbackModel.Generate("library/nomic-embed-text", "latest", 1_000_000, seed: 2));
        using PushRegistry target = new();
        using ChildProcess process = ChildProcess.StartScript(
            $"& {{ {RunExamples} }} {registry.Address} {target.Address.GetLeftPart(UriPartial.Authority)}",
            ("OLLAMA_MODELS", Path.Combine(_folder.Path, "store")), ("HOME", _folder.Path), ("MODEL_SOURCE", registry.Address.GetLeftPart(UriPartial.Authority)));
        await process.WaitAsync();

        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] examples = [.. lines.Where(line => line.Contains(" | Example ", StringComparison.Ordinal))];
        Assert.True(examples.Length >= 12, process.Output + process.Error);
        Assert.All(examples, line => Assert.EndsWith("| 0 errors", line, StringComparison.Ordinal));

        // Those whose purpose is to show nothing where nothing is wrong, to act on a condition, or to write a file.
        Assert.Equal(
            [
                "Mend what a test found", "Keep the manifest as it was served", "Test the whole store", "Use it in a condition", "Find out what is wrong",
                "Pin what this machine has", "Pin what the registry has now", "Pin what a disk brings",
                "See what would be removed", "Keep what is on a list", "Free what nobody needs",
            ],
            examples.Where(line => line.Contains("| 0 objects", StringComparison.Ordinal)).Select(line => line.Split('|', ':')[2].Trim()));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    private static IEnumerable<string> Names(string folder) => Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    private static string Text(object value) => LanguagePrimitives.ConvertTo<string>(value);
}
