using System.Management.Automation;
using System.Reflection;

namespace PSModel.Pipeline;

/// <summary>Knows beforehand what <see cref="Cmdlet.ShouldProcess(string, string)"/> will do.</summary>
internal static class Confirmation
{
    /// <summary>Those that make it ask or tell something, and with a value of its own keep it from that.</summary>
    private static readonly string[] Switches = ["WhatIf", "Confirm", "Verbose"];

    /// <summary>Whether it says yes to everything, and neither asks nor tells; then nobody reads what is verbose either. For the pipeline
    /// thread. What <c>about_Preference_Variables</c> says of <c>$ConfirmPreference</c> is done by
    /// <c>MshCommandRuntime.ShouldProcess</c>.</summary>
    public static bool IsSilent(PSCmdlet cmdlet) =>
        !Switches.Any(cmdlet.MyInvocation.BoundParameters.ContainsKey)
        && !IsDebugged(cmdlet)
        && !LanguagePrimitives.IsTrue(cmdlet.GetVariableValue("WhatIfPreference"))
        && IsIgnored(cmdlet.GetVariableValue("VerbosePreference"))
        && LanguagePrimitives.TryConvertTo(cmdlet.GetVariableValue("ConfirmPreference"), out ConfirmImpact threshold)
        && (threshold == ConfirmImpact.None || threshold > ImpactOf(cmdlet));

    /// <summary>Whether somebody reads what is told for debugging. For the pipeline thread.</summary>
    public static bool IsDebugged(PSCmdlet cmdlet) =>
        cmdlet.MyInvocation.BoundParameters.ContainsKey("Debug") || !IsIgnored(cmdlet.GetVariableValue("DebugPreference"));

    private static bool IsIgnored(object? preference) =>
        LanguagePrimitives.TryConvertTo(preference, out ActionPreference action) && action is ActionPreference.SilentlyContinue or ActionPreference.Ignore;

    private static ConfirmImpact ImpactOf(PSCmdlet cmdlet) => cmdlet.GetType().GetCustomAttribute<CmdletAttribute>()?.ConfirmImpact ?? ConfirmImpact.Medium;
}
