# gnuplot -e "data='FILE'; out='FILE.svg'" plot.gp: what latency wrote, as a picture:
# a field for each delay and loss; of each record and program p50, with a line up to
# p99, and an open circle at the top where more than one check in a hundred has no
# verdict.
set terminal svg size 1500,1150 background rgb 'white' font 'sans-serif,11'
set output out
set datafile separator tab
set datafile commentschars '#'
programs = "spfwrap spfquery pyspf"
colours = "#0060a0 #d07000 #808080"
records = system("cut -f 1 ".data." | grep -v '^#' | awk '!seen[$1]++' | tr '\\n' ' '")
place(name) = sum [i = 1:words(records)] (word(records, i) eq name ? i : 0)
set multiplot layout 3,3 title "An SPF check over a slow and bad line: p50, and a line up to p99, in ms\ncircle: more than 1 % without a verdict (temperror)"
set logscale y
set yrange [0.5:200000]
set xrange [0.4:words(records) + 0.6]
set grid ytics lc rgb '#dddddd'
set xtics rotate by -35 nomirror
set for [i = 1:words(records)] xtics add (word(records, i) i)
set key top left horizontal samplen 1
do for [delay in "0 20 100"] {
  do for [loss in "0 5 20"] {
    set title sprintf("%s ms round trip, %s %% lost in each direction", delay, loss)
    here(n, program) = strcol(2) eq delay && strcol(3) eq loss && strcol(4) eq program ? n : NaN
    plot for [p = 1:3] data using (here(place(strcol(1)) + 0.2 * (p - 2), word(programs, p))):9:9:10 \
           with yerrorbars pt 7 ps 0.6 lw 2 lc rgb word(colours, p) title word(programs, p), \
         for [p = 1:3] data using (column(11) > 1 ? here(place(strcol(1)) + 0.2 * (p - 2), word(programs, p)) : NaN):10 \
           with points pt 6 ps 1 lw 2 lc rgb word(colours, p) notitle
  }
}
unset multiplot
